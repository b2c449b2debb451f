// status, peers, hubs.
#include <poll.h>
#include <algorithm>

#include "cli/daemon.h"
#include "cli/render.h"

namespace ginnel::cli {
namespace {

constexpr int kDegraded = 8;

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
  };
}

}  // namespace ginnel::cli
