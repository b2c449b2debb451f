// Two programs that greet each other by name, wherever they run:
//
//   GINNEL_TOKEN=… hello alice bob        GINNEL_TOKEN=… hello bob alice
//
// usage: hello [--dir DIR] NAME PEER
// The token comes from `ginnel invite --uses 2` on a hub. Either may start first.
#include <ginnel/ginnel.h>

#include <cstdio>
#include <future>
#include <optional>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto kPatience = 20s;

struct Arguments {
  std::string dir;
  std::string name;
  std::string peer;
};

std::optional<Arguments> arguments_of(int argc, char** argv) {
  Arguments out;
  int at = 1;
  if (argc > 2 && std::string(argv[1]) == "--dir") {
    out.dir = argv[2];
    at = 3;
  }
  if (argc - at != 2) return std::nullopt;
  out.name = argv[at];
  out.peer = argv[at + 1];
  return out;
}

// Until the peer's program has taken it: it may have to be started first. The error is the last.
std::optional<ginnel::Error> greet(ginnel::Node& node, const Arguments& who, Clock::time_point end) {
  const std::string text = "hello from " + who.name;
  for (;;) {
    const auto left = end - Clock::now();
    const auto failed =
        node.send_acked({who.peer}, "hello", std::as_bytes(std::span(text)), left).get();
    if (failed.empty()) return std::nullopt;
    if (Clock::now() + 200ms >= end) return failed.front().error;
    std::this_thread::sleep_for(200ms);
  }
}

int fail(const ginnel::Error& error) {
  std::fprintf(stderr, "hello: %s [%s]\n", error.text.c_str(),
               std::string(ginnel::code_name(error.code)).c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "  %s\n", error.hint.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto who = arguments_of(argc, argv);
  if (!who) {
    std::fputs("usage: hello [--dir DIR] NAME PEER\n", stderr);
    return 2;
  }
  const auto end = Clock::now() + kPatience;
  std::promise<void> greeted_by_peer;
  bool greeted = false;  // of the handlers' thread

  auto node = ginnel::Node::join(
      {.token = ginnel::token_from_env(), .name = who->name, .dir = who->dir});
  if (!node) return fail(node.error());
  const auto hello = node->on_message("hello", [&](const ginnel::Message& message) {
    std::printf("%s: %s\n", std::string(message.from_name()).c_str(), message.text().c_str());
    std::fflush(stdout);
    if (message.from_name() == who->peer && !std::exchange(greeted, true)) {
      greeted_by_peer.set_value();
    }
  });

  const auto error = greet(*node, *who, end);
  const bool answered = greeted_by_peer.get_future().wait_until(end) == std::future_status::ready;
  if (error) fail(*error);
  if (error) std::fprintf(stderr, "hello: %s did not take our greeting\n", who->peer.c_str());
  if (!answered) std::fprintf(stderr, "hello: %s did not greet us\n", who->peer.c_str());
  return error || !answered;
}
