// Numbers acknowledged messages and checks them at the other end: each exactly once, in order,
// whole.
//
//   GINNEL_TOKEN=… checker check bob alice        GINNEL_TOKEN=… checker send alice bob
//
// usage: checker send|check [--dir DIR] [--count N] [--seed S] [--window W] NAME PEER
//
// Size (log-uniform from 1 B to 1 MiB) and bytes of a message follow from seed and number, so both
// ends know them without a word: a message that is lost, doubled, late or changed is seen at the
// next one. What is printed, a driver may wait for:
//
//   send    path KIND (when it changes), taken N (every 100), at the end what it took
//   check   got N (every 100), at the end that all was right, or what was not
#include <ginnel/ginnel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kChannel = "checked";
constexpr double kSizeBitsMax = 20;  // log2 of 1 MiB
constexpr auto kAckPatience = 60s;   // a fault may hold a message up, never this long
constexpr auto kSilence = 60s;       // nothing came for this long: the checker gives up
constexpr auto kAfterLast = 2s;      // a message that comes twice has come by then
constexpr std::uint64_t kTellEvery = 100;

struct Arguments {
  bool sends = false;
  std::string dir;
  std::string name;
  std::string peer;
  std::uint64_t count = 10'000;
  std::uint64_t seed = 1;
  std::uint64_t window = 32;  // sends that wait for their acknowledgement
};

std::optional<Arguments> arguments_of(int argc, char** argv) {
  Arguments out;
  std::vector<std::string> words(argv + 1, argv + argc);
  std::vector<std::string> plain;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool last = i + 1 == words.size();
    if (!words[i].starts_with("--")) {
      plain.push_back(words[i]);
      continue;
    }
    if (last) return std::nullopt;
    const std::string& option = words[i];
    const std::string& value = words[++i];
    if (option == "--dir")
      out.dir = value;
    else if (option == "--count")
      out.count = std::strtoull(value.c_str(), nullptr, 0);
    else if (option == "--seed")
      out.seed = std::strtoull(value.c_str(), nullptr, 0);
    else if (option == "--window")
      out.window = std::strtoull(value.c_str(), nullptr, 0);
    else
      return std::nullopt;
  }
  if (plain.size() != 3 || (plain[0] != "send" && plain[0] != "check")) return std::nullopt;
  if (out.count == 0 || out.window == 0) return std::nullopt;
  out.sends = plain[0] == "send";
  out.name = plain[1];
  out.peer = plain[2];
  return out;
}

// splitmix64: a stream of its own for every (seed, number).
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::vector<std::byte> message_of(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t state = seed;
  state = next_random(state) + number;
  const double unit = static_cast<double>(next_random(state) >> 11) * 0x1p-53;
  std::vector<std::byte> out(static_cast<std::size_t>(std::exp2(kSizeBitsMax * unit)));
  for (std::size_t at = 0; at < out.size(); at += 8) {
    const std::uint64_t word = next_random(state);
    std::memcpy(out.data() + at, &word, std::min<std::size_t>(8, out.size() - at));
  }
  return out;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void tell(const char* what, const std::string& value) {
  std::printf("%s %s\n", what, value.c_str());
  std::fflush(stdout);
}

int fail(const ginnel::Error& error) {
  std::fprintf(stderr, "checker: %s [%s] %s\n", error.text.c_str(),
               std::string(ginnel::code_name(error.code)).c_str(), error.hint.c_str());
  return 1;
}

// --- send ---

class Sender {
 public:
  Sender(ginnel::Node& node, const Arguments& arguments) : node_(node), arguments_(arguments) {}

  int run() {
    while (taken_ < arguments_.count) {
      while (next_ < arguments_.count && flying_.size() < arguments_.window) send_one();
      if (const auto error = await_front()) {
        std::fprintf(stderr, "FAILED message %llu was not taken\n",
                     static_cast<unsigned long long>(taken_));
        return fail(*error);
      }
      if (++taken_ % kTellEvery == 0) tell("taken", std::to_string(taken_));
    }
    const double seconds = seconds_since(start_);
    const double megabytes = static_cast<double>(bytes_) / 1e6;
    std::printf("%llu messages taken: %.1f MB in %.2f s, %.1f MB/s, the slowest after %.2f s\n",
                static_cast<unsigned long long>(taken_), megabytes, seconds, megabytes / seconds,
                slowest_);
    return 0;
  }

 private:
  struct Flying {
    std::future<std::vector<ginnel::Failed>> done;
    Clock::time_point since;
  };

  void send_one() {
    const auto data = message_of(arguments_.seed, next_++);
    bytes_ += data.size();
    flying_.push_back(
        {node_.send_acked({arguments_.peer}, kChannel, data, kAckPatience), Clock::now()});
  }
  std::optional<ginnel::Error> await_front() {
    const auto failed = flying_.front().done.get();
    slowest_ = std::max(slowest_, seconds_since(flying_.front().since));
    flying_.pop_front();
    if (failed.empty()) return std::nullopt;
    return failed.front().error;
  }

  ginnel::Node& node_;
  const Arguments& arguments_;
  std::deque<Flying> flying_;
  std::uint64_t next_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t bytes_ = 0;
  double slowest_ = 0;  // seconds
  Clock::time_point start_ = Clock::now();
};

int send_all(ginnel::Node& node, const Arguments& arguments) {
  std::string kind;  // of the handlers' thread
  const auto path = node.on_path([&](const ginnel::PeerInfo& peer) {
    if (peer.name != arguments.peer) return;
    const std::string now(ginnel::path_kind_name(peer.path.kind));
    if (std::exchange(kind, now) != now) tell("path", now);
  });
  return Sender(node, arguments).run();
}

// --- check ---

class Checker {
 public:
  explicit Checker(const Arguments& arguments) : arguments_(arguments) {}

  // On the node's thread.
  void take(const ginnel::Message& message) {
    const std::lock_guard lock(mutex_);
    last_ = Clock::now();
    if (message.from_name() != arguments_.peer || !wrong_.empty()) return;
    wrong_ = judge(message.data());
    if (++got_ % kTellEvery == 0) tell("got", std::to_string(got_));
  }
  // nullopt: wait on. Else: what was wrong, or nothing.
  std::optional<std::string> verdict() {
    const std::lock_guard lock(mutex_);
    if (!wrong_.empty()) return wrong_;
    const auto quiet = Clock::now() - last_;
    if (got_ == arguments_.count && quiet >= kAfterLast) return "";
    if (quiet < kSilence) return std::nullopt;
    return "only " + std::to_string(got_) + " came, then nothing for a minute";
  }

 private:
  std::string judge(std::span<const std::byte> data) const {
    if (got_ == arguments_.count) return "one more came after the last: it is there twice";
    const auto expected = message_of(arguments_.seed, got_);
    if (std::ranges::equal(expected, data)) return "";
    return "in place of message " + std::to_string(got_) + " came " + name_of(data);
  }
  // Which one it is, so that a failure says lost, doubled or out of order by itself.
  std::string name_of(std::span<const std::byte> data) const {
    for (std::uint64_t number = 0; number < arguments_.count; ++number) {
      if (std::ranges::equal(message_of(arguments_.seed, number), data)) {
        return "message " + std::to_string(number);
      }
    }
    return std::to_string(data.size()) + " bytes that nobody sent";
  }

  const Arguments& arguments_;
  std::mutex mutex_;  // guards what follows
  std::uint64_t got_ = 0;
  std::string wrong_;
  Clock::time_point last_ = Clock::now();
};

int check_all(ginnel::Node& node, const Arguments& arguments) {
  Checker checker(arguments);
  const auto messages =
      node.on_message(kChannel, [&](const ginnel::Message& message) { checker.take(message); });
  for (;;) {
    std::this_thread::sleep_for(50ms);
    const auto verdict = checker.verdict();
    if (!verdict) continue;
    if (!verdict->empty()) {
      std::fprintf(stderr, "FAILED %s\n", verdict->c_str());
      return 1;
    }
    std::printf("%llu messages, each once and in order\n",
                static_cast<unsigned long long>(arguments.count));
    return 0;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = arguments_of(argc, argv);
  if (!arguments) {
    std::fputs(
        "usage: checker send|check [--dir DIR] [--count N] [--seed S] [--window W] NAME PEER\n",
        stderr);
    return 2;
  }
  auto node = ginnel::Node::join(
      {.token = ginnel::token_from_env(), .name = arguments->name, .dir = arguments->dir});
  if (!node) return fail(node.error());
  return arguments->sends ? send_all(*node, *arguments) : check_all(*node, *arguments);
}
