// status, peers, hubs, events, log.
#include <poll.h>
#include <algorithm>

#include "cli/daemon.h"
#include "cli/render.h"
#include "runtime/gossip/documents.h"

namespace ginnel::cli {
namespace {

constexpr int kDegraded = 8;
// More than the daemon keeps: all of them.
constexpr std::int64_t kLinesAsked = 1'000'000;

const FlagGroup kWatch = {"Watch", {{"--watch", "", "again each second, until interrupted"}}};

// Waits a second. False: interrupted.
bool pause(const Context& context) {
  pollfd fd{context.interrupt_fd, POLLIN, 0};
  return ::poll(&fd, context.interrupt_fd < 0 ? 0 : 1, 1000) == 0;
}

// Asks again each second with --watch; without it once.
Outcome watched(Context& context, const Arguments& arguments,
                const std::function<Outcome()>& once) {
  if (!arguments.has("--watch")) return once();
  while (true) {
    const Outcome outcome = once();
    if (!outcome) return outcome;
    context.out << (arguments.json ? "" : "\n") << std::flush;
    if (!pause(context)) return Fail(Error{Errc::kCancelled, "interrupted", ""});
  }
}

const Json* find_peer(const Json& status, std::string_view name) {
  const Json& peers = child(status, "peers");
  const auto found = std::ranges::find_if(peers, [&](const Json& peer) {
    return text_at(peer, "name") == name || text_at(peer, "id") == name;
  });
  return found == peers.end() ? nullptr : &*found;
}

bool is_degraded(const Json& status) {
  return std::ranges::any_of(child(status, "health"), [](const Json& entry) {
    return text_at(entry, "severity") == "warning" || text_at(entry, "severity") == "error";
  });
}

Outcome print_peer(Context& context, const Arguments& arguments, const Json& status) {
  const std::string& name = arguments.words[0];
  const Json* peer = find_peer(status, name);
  if (peer == nullptr)
    return Fail(Error{Errc::kUnknownPeer, "status: nobody here is called " + name,
                      "ginnel peers"});
  if (arguments.json) {
    context.out << dump({{"v", 1}, {"peer", *peer}}) << "\n";
  } else {
    context.out << render_peer(*peer, style_of(context));
  }
  return 0;
}

Outcome status_once(Context& context, const Arguments& arguments) {
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const auto answer = client->call({"GET", "/v1/status"});
  if (!answer) return Fail(answer.error());
  const Json status = parse_document(*answer);
  if (!arguments.words.empty()) {
    if (auto printed = print_peer(context, arguments, status); !printed) return printed;
  } else if (arguments.json) {
    context.out << *answer << "\n";
  } else {
    context.out << render_status(status, style_of(context));
  }
  return arguments.has("--check") && is_degraded(status) ? kDegraded : 0;
}

Outcome run_status(Context& context, const Arguments& arguments) {
  return watched(context, arguments, [&] { return status_once(context, arguments); });
}

Outcome run_peers(Context& context, const Arguments& arguments) {
  return watched(context, arguments, [&] {
    return show(context, arguments, {"GET", "/v1/peers"},
                [&](const Json& json) { return render_peers(json, style_of(context)); });
  });
}

Outcome run_hubs(Context& context, const Arguments& arguments) {
  return watched(context, arguments, [&] {
    return show(context, arguments, {"GET", "/v1/hubs"},
                [&](const Json& json) { return render_hubs(json, style_of(context)); });
  });
}

// Of a node's daemon; a member of `gossip` has its own lines.
std::string event_line(std::string_view text) {
  const Json event = parse_document(text);
  if (text_at(event, "severity").empty()) return gossip::human_line(nlohmann::json(event));
  const std::string code = text_at(event, "code");
  return text_at(event, "time") + " " + text_at(event, "event") + "  " + text_at(event, "text") +
         (code.empty() ? "" : " [" + code + "]");
}

std::string log_line(std::string_view text) {
  const Json line = parse_document(text);
  return text_at(line, "time") + " " + text_at(line, "level") + " " + text_at(line, "text");
}

// The lines that the daemon keeps, and with --follow those that come.
Outcome print_lines(Context& context, const Arguments& arguments, const std::string& target,
                    std::string (*human)(std::string_view)) {
  const auto last = number_of(arguments, "--last", {0, kLinesAsked});
  if (!last) return Fail(last.error());
  Json body = {{"follow", arguments.has("--follow")}};
  if (*last) body["last"] = **last;
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const auto done = client->stream({"POST", target, dump(body)}, [&](std::string_view text) {
    context.out << (arguments.json ? std::string(text) : human(text)) << "\n" << std::flush;
    return static_cast<bool>(context.out);
  });
  if (!done) return Fail(done.error());
  return 0;
}

Outcome run_events(Context& context, const Arguments& arguments) {
  return print_lines(context, arguments, "/v1/events", event_line);
}

Outcome run_log(Context& context, const Arguments& arguments) {
  return print_lines(context, arguments, "/v1/log", log_line);
}

const FlagGroup kLines = {
    "Lines",
    {{"--follow", "", "go on with what comes, until interrupted", "", "", false, 'f'},
     {"--last", "N", "only the last N of those that are kept", "1000", "", false, 'n'}}};

}  // namespace

std::vector<Verb> look_verbs() {
  return {
      {"status",
       "[PEER]",
       "The own node, the hubs, then a row per peer",
       {"ginnel status", "ginnel status bob", "ginnel status --check && echo fine"},
       {{"Output", {{"--check", "", "exit 8 when something is not well"}}}, kWatch},
       {1, 3, 4, 5, 8, 130},
       0,
       1,
       run_status},
      {"peers",
       "",
       "Every peer with its Id, address and path",
       {"ginnel peers", "ginnel peers --json | jq .peers[].name"},
       {kWatch},
       {1, 3, 4, 130},
       0,
       0,
       run_peers},
      {"hubs",
       "",
       "The hubs of the network",
       {"ginnel hubs", "ginnel hubs --watch"},
       {kWatch},
       {1, 3, 4, 130},
       0,
       0,
       run_hubs},
      {"events",
       "",
       "What happened, and why: peers, paths, hubs, addresses",
       {"ginnel events", "ginnel events -f", "ginnel events -f --json | jq .text"},
       {kLines},
       {1, 3, 4, 130},
       0,
       0,
       run_events},
      {"log",
       "",
       "The daemon's last log lines",
       {"ginnel log", "ginnel log -f -n 20"},
       {kLines},
       {1, 3, 4, 130},
       0,
       0,
       run_log},
  };
}

}  // namespace ginnel::cli
