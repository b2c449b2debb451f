// hello.cc once more, in a loop of the program's own: one poll(2) over everything the program waits
// for, and no thread but the one that came with main(). Either of the two programs may be this one.
//
// usage: hello-polled [--dir DIR] NAME PEER
#include <ginnel/ginnel.h>
#include <poll.h>

#include <cstdio>
#include <filesystem>
#include <span>
#include <string>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto kPatience = 20s;
constexpr auto kAgain = 200ms;

struct Greeting {
  ginnel::Node& node;
  std::string text;
  std::string peer;
  Clock::time_point end;
  Clock::time_point next{};  // when to greet (again)
  bool sent = false;         // and not answered yet
  bool taken = false;
  bool heard = false;

  void send() {
    sent = true;
    node.send_acked({peer}, "hello", std::as_bytes(std::span(text)), end - Clock::now(),
                    [this](std::vector<ginnel::Failed> failed) {
                      sent = false;
                      taken = failed.empty();
                      next = Clock::now() + kAgain;
                    });
  }
  bool is_done() const { return taken && heard; }
};

void take_part(ginnel::Node& node, Greeting& greeting) {
  while (!greeting.is_done() && Clock::now() < greeting.end) {
    if (!greeting.sent && !greeting.taken && Clock::now() >= greeting.next) greeting.send();
    pollfd wait{node.fd(), POLLIN, 0};  // a program's own descriptors would stand beside it
    ::poll(&wait, 1, 100);
    node.poll().value();
  }
}

// The kernel's count of this process.
long threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

int greet(ginnel::Node& node, const std::string& name, const std::string& peer) {
  Greeting greeting{node, "hello from " + name, peer, Clock::now() + kPatience};
  const auto hello = node.on_message("hello", [&](const ginnel::Message& message) {
    std::printf("%s: %s\n", std::string(message.from_name()).c_str(), message.text().c_str());
    greeting.heard |= message.from_name() == peer;
  });
  take_part(node, greeting);
  std::printf("threads: %ld\n", threads());
  if (!greeting.taken) std::fprintf(stderr, "%s did not take our greeting\n", peer.c_str());
  if (!greeting.heard) std::fprintf(stderr, "%s did not greet us\n", peer.c_str());
  return greeting.is_done() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bool has_dir = argc > 2 && std::string(argv[1]) == "--dir";
  if (argc != (has_dir ? 5 : 3)) {
    std::fputs("usage: hello-polled [--dir DIR] NAME PEER\n", stderr);
    return 2;
  }
  const std::string name = argv[argc - 2];
  auto node = ginnel::Node::join({.token = ginnel::token_from_env(),
                                  .name = name,
                                  .dir = has_dir ? argv[2] : "",
                                  .loop = ginnel::Loop::kExternal});
  if (!node) {
    std::fprintf(stderr, "hello-polled: %s\n  %s\n", node.error().text.c_str(),
                 node.error().hint.c_str());
    return 1;
  }
  return greet(*node, name, argv[argc - 1]);
}
