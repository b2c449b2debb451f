// ping, why, wait, demo.
#include <chrono>
#include <thread>

#include "cli/daemon.h"
#include "cli/demo/demo.h"
#include "cli/human.h"
#include "cli/render.h"

namespace ginnel::cli {
namespace {

using namespace std::chrono_literals;

constexpr int kUnreachableExit = 6;
// docs/wire/ginnel.md section 8, PING: "up to 1440 bytes of padding".
constexpr std::int64_t kPingBytesMax = 1440;

bool is_direct(const Json& line) {
  const std::string kind = text_at(child(line, "path"), "kind");
  return number_at(line, "rtt") && (kind == "lan" || kind == "direct" || kind == "punched");
}

Result<Json, Error> ping_body(const Arguments& arguments) {
  const auto count = number_of(arguments, "--count", {1, 1'000'000'000});
  const auto interval = seconds_of(arguments, "--interval", "ping");
  const auto size = number_of(arguments, "--size", {0, kPingBytesMax});
  if (!count) return Fail(count.error());
  if (!interval) return Fail(interval.error());
  if (!size) return Fail(size.error());
  const bool until_direct = arguments.has("--until-direct");
  Json body = {{"peer", arguments.words[0]},
               {"interval", interval->value_or(1.0)},
               {"until_direct", until_direct}};
  // docs/cli.md: "--until-direct … after -c N (default 10) without one it exits 6".
  if (*count || until_direct) body["count"] = count->value_or(10);
  if (*size) body["size"] = **size;
  return body;
}

struct PingTotals {
  int answered = 0;
  bool direct = false;
  std::string reason;  // of the last path: why it is not direct
};

Outcome ping_result(const Arguments& arguments, const PingTotals& totals) {
  if (!arguments.has("--until-direct")) {
    if (totals.answered > 0) return 0;
    return kUnreachableExit;
  }
  if (totals.direct) return 0;
  const std::string why = totals.reason.empty() ? "" : ": " + reason_text(totals.reason);
  return Fail(Error{Errc::kUnreachable, "ping " + arguments.words[0] + ": no direct path" + why,
                    "ginnel why " + arguments.words[0]});
}

Outcome run_ping(Context& context, const Arguments& arguments) {
  const auto body = ping_body(arguments);
  if (!body) return Fail(body.error());
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  PingTotals totals;
  const auto done = client->stream({"POST", "/v1/ping", dump(*body)}, [&](std::string_view text) {
    const Json line = parse_document(text);
    context.out << (arguments.json ? std::string(text) : render_pong(line)) << "\n" << std::flush;
    totals.answered += number_at(line, "rtt") ? 1 : 0;
    totals.reason = text_at(child(line, "path"), "reason");
    totals.direct = is_direct(line);
    return !(arguments.has("--until-direct") && totals.direct);
  });
  if (!done && done.error().code != Errc::kCancelled) return Fail(done.error());
  return ping_result(arguments, totals);
}

Outcome run_why(Context& context, const Arguments& arguments) {
  return show(context, arguments, {"GET", "/v1/why/" + percent_encoded(arguments.words[0])},
              [&](const Json& json) { return render_why(json, style_of(context)); });
}

// `up` in the background and `wait` behind it: the socket may come a moment later.
constexpr auto kDaemonGrace = 2s;

Result<control_api::Client, Error> connect_soon(const Context& context,
                                                const Arguments& arguments) {
  const auto end = std::chrono::steady_clock::now() + kDaemonGrace;
  while (true) {
    auto client = connect(context, arguments);
    const bool may_come = !client && client.error().code == Errc::kNotRunning;
    if (!may_come || std::chrono::steady_clock::now() >= end) return client;
    std::this_thread::sleep_for(50ms);
  }
}

bool is_member_count(std::string_view goal) {
  constexpr std::string_view kPrefix = "members=";
  if (!goal.starts_with(kPrefix)) return false;
  const std::string_view digits = goal.substr(kPrefix.size());
  return !digits.empty() && digits.size() <= 6 &&
         digits.find_first_not_of("0123456789") == std::string_view::npos;
}

Outcome run_wait(Context& context, const Arguments& arguments) {
  const std::string peer = arguments.get("--peer");
  const std::string goal = arguments.has("--for") ? arguments.get("--for") : "online";
  if (goal != "online" && goal != "direct" && !is_member_count(goal)) {
    return Fail(Error{Errc::kUsage,
                      "wait --for " + goal + ": this version waits for online, direct or members=N",
                      "ginnel wait --help"});
  }
  if (goal == "direct" && peer.empty())
    return Fail(Error{Errc::kUsage, "wait --for direct: which peer?", "add --peer NAME"});
  const auto timeout = seconds_of(arguments, "--timeout", "wait");
  if (!timeout) return Fail(timeout.error());
  Json body = {{"peer", peer.empty() ? Json() : Json(peer)}, {"for", goal}};
  if (*timeout) body["timeout"] = **timeout;
  auto client = connect_soon(context, arguments);
  if (!client) return Fail(client.error());
  const auto answer = client->call({"POST", "/v1/wait", dump(body)});
  if (!answer) return Fail(answer.error());
  if (arguments.json) context.out << *answer << "\n";
  return 0;
}

}  // namespace

std::vector<Verb> try_verbs() {
  return {
      {"ping",
       "PEER",
       "Ask a peer for an answer, and say what path it took",
       {"ginnel ping bob", "ginnel ping bob -c 3", "ginnel ping bob --until-direct"},
       {{"Ping",
         {{"--count", "N", "stop after N", "until interrupted", "", false, 'c'},
          {"--interval", "S", "seconds between two", "1", "", false, 'i'},
          {"--size", "BYTES", "bytes of padding in each, up to 1440", "56"},
          {"--until-direct", "", "stop at the first answer that came without a relay"}}}},
       {1, 3, 4, 5, 6},
       1,
       1,
       run_ping},
      {"why",
       "PEER",
       "Why the path to a peer is what it is, and what would mend it",
       {"ginnel why bob", "ginnel why bob --json | jq .attempts[]"},
       {},
       {1, 3, 4, 5, 130},
       1,
       1,
       run_why},
      {"wait",
       "",
       "Wait until the node, or a peer, is there",
       {"ginnel wait --timeout 10", "ginnel wait --peer bob --for direct --timeout 30"},
       {{"Wait",
         {{"--peer", "PEER", "wait for this peer", "the own node"},
          {"--for", "WHAT", "online, direct, or members=N (gossip)", "online"},
          {"--timeout", "S", "give up after S seconds", "never"}}}},
       {1, 3, 4, 5, 6, 130}, 0, 0, run_wait},
      {"demo", "", "Show the main job: two peers behind two NATs",
       {"sudo ginnel demo", "ginnel demo --loopback"},
       {{"Demo",
         {{"--loopback", "", "without namespaces and TUN, as it is without root"}}}},
       {1, 130}, 0, 0, demo::run_demo},
  };
}

}  // namespace ginnel::cli
