// Hubs by configuration. One whose key is configured is shaken hands with at once; of one without a
// key the certificate is asked first (docs/wire/ginnel.md section 11):
//
//   1. set_hub_endpoints         the name means these addresses now: ask them, or move there
//   2. handle_hub_certificates   the chain is of our network, and a hub's?
//   3. meet_hub                  then it is a hub like any other
//   4. look_after_…              one that does not answer may have another key now
#include <algorithm>

#include "base/timers.h"
#include "node/node.h"

namespace ginnel::node {
namespace {

// A certificate that was no use is asked for again after this time: somebody may mend the hub.
constexpr Nanoseconds kUselessAgain = 30s;
// A hub whose key is known and that is silent for this long is asked for its certificate (again).
constexpr Nanoseconds kFoundAgain = 15s;

}  // namespace

void Node::add_configured_hubs(Instant now) {
  for (const HubAddress& hub : config_.hubs) {
    ConfiguredHub& entry = configured_hubs_.emplace_back();
    entry.text = hub.text;
    // By a shared secret nothing but the certificate says whether a hub has the same one: a
    // handshake with another would fail without a word.
    if (!identity_.is_by_secret()) entry.key = hub.key;
    set_hub_endpoints(now, configured_hubs_.size() - 1, hub.endpoints);
  }
}

// A name that cannot be resolved for now keeps what it meant last.
void Node::set_hub_endpoints(Instant now, std::size_t index, std::vector<Endpoint> endpoints) {
  if (index >= configured_hubs_.size() || endpoints.empty()) return;
  ConfiguredHub& hub = configured_hubs_[index];
  if (hub.endpoints == endpoints) return;
  hub.endpoints = std::move(endpoints);
  if (hub.key) return connect_hub(now, *hub.key);
  inquiry_.ask(now, index, hub.endpoints);
}

// One hub may stand in several entries, one per address.
void Node::connect_hub(Instant now, const crypto::SessionPublic& key) {
  std::vector<Endpoint> endpoints;
  for (const ConfiguredHub& hub : configured_hubs_) {
    if (hub.key != key) continue;
    for (const Endpoint& endpoint : hub.endpoints) {
      if (std::ranges::count(endpoints, endpoint) == 0) endpoints.push_back(endpoint);
    }
  }
  const auto known = device_.find_peer(key);
  Session* session = known ? find(*known) : nullptr;
  if (!session || !session->hub_link) return add_hub(now, key, std::move(endpoints));
  move_hub(now, *session, std::move(endpoints));
}

// One that answers where it is stays there until it does not.
void Node::move_hub(Instant now, Session& session, std::vector<Endpoint> endpoints) {
  session.hub_endpoints = std::move(endpoints);
  session.hub_endpoint = 0;
  const bool here =
      session.route && std::ranges::count(session.hub_endpoints, session.route->endpoint) > 0;
  if (here || session.hub_link->state() == HubLink::State::kOnline) return;
  set_route(now, session, {kSocket, session.hub_endpoints.front()});
  device_.begin_handshake(now, session.handle);
  session.hub_retry = now + kHubEndpointTime;
}

void Node::handle_hub_certificates(Instant now) {
  while (const auto found = inquiry_.poll_event()) {
    ConfiguredHub& hub = configured_hubs_[found->hub];
    const auto record = trust_.inspect(found->chain, wall(now));
    if (record && record->id.is_hub()) {
      hub.wrong_network = false;
      meet_hub(now, found->hub, record->session_key);
      continue;
    }
    inquiry_.pause(found->hub, now + kUselessAgain);
    const bool wrong = !record && record.error().code == control::RefusedCode::kWrongNetwork;
    if (wrong) {
      note_wrong_network(hub);
    } else {
      notice(Notice::Level::kWarning, "",
             "hub " + found->endpoint.text() + ": " +
                 (record ? "its certificate is no hub's" : record.error().text));
    }
  }
}

void Node::meet_hub(Instant now, std::size_t index, const crypto::SessionPublic& key) {
  ConfiguredHub& hub = configured_hubs_[index];
  inquiry_.stop(index);
  hub.ask_again = now + kFoundAgain;
  if (hub.key && hub.key != key) {
    const auto old = device_.find_peer(*hub.key);
    Session* session = old ? find(*old) : nullptr;
    if (session && session->hub_link) {
      hub_lost(now, *session);
      drop_session(*old, {Errc::kUnreachable, "the hub has a new key", ""});
    }
  }
  hub.key = key;
  connect_hub(now, key);
}

void Node::look_after_configured_hubs(Instant now) {
  for (std::size_t i = 0; i < configured_hubs_.size(); ++i) {
    ConfiguredHub& hub = configured_hubs_[i];
    if (!hub.key) continue;
    const auto known = device_.find_peer(*hub.key);
    const Session* session = known ? find(*known) : nullptr;
    const bool online =
        session && session->hub_link && session->hub_link->state() == HubLink::State::kOnline;
    if (online) hub.wrong_network = false;
    // A node that stands in its own list is not its own hub.
    if (online || hub.key == device_.public_key()) {
      hub.ask_again.reset();
      inquiry_.stop(i);
    } else if (!hub.ask_again) {
      hub.ask_again = now + kFoundAgain;
    } else if (*hub.ask_again <= now) {
      hub.ask_again = now + kFoundAgain;
      inquiry_.ask(now, i, hub.endpoints);
    }
  }
}

std::optional<Instant> Node::next_hub_question() const {
  std::optional<Instant> out = inquiry_.next_timeout();
  for (const ConfiguredHub& hub : configured_hubs_) out = earlier(out, hub.ask_again);
  return out;
}

void Node::note_wrong_network(const Session& session) {
  for (ConfiguredHub& hub : configured_hubs_) {
    if (hub.key == session.key) note_wrong_network(hub);
  }
}

void Node::note_wrong_network(ConfiguredHub& hub) {
  if (std::exchange(hub.wrong_network, true)) return;
  notice(Notice::Level::kWarning, "E_WRONG_NETWORK",
         "hub " + hub.text + " belongs to another network" +
             (identity_.is_by_secret() ? ": its shared secret is not ours" : ""));
}

// Its relay is no way to anybody any more, and its rows say nothing.
void Node::hub_lost(Instant now, Session& hub) {
  hub.hub_link->session_down();
  hub.has_key_pair = false;
  nat_.ask_again(now);
  if (!hub.id) return;
  directory_.remove_hub(*hub.id);
  hub.hub_link->table().forget_position();
  forwarding_changed();
  raise(HubChanged{*hub.id, false});
  update_stopped(now);
  for (auto& [handle, session] : sessions_) {
    if (session->agent) session->agent->relay_lost(now, relay_route(hub.handle, 0).path);
  }
  refresh_agents(now);
}

bool Node::has_all_hubs() const {
  for (const auto& [handle, session] : sessions_) {
    if (session->hub_link && session->hub_link->state() != HubLink::State::kOnline) return false;
  }
  return unmet_hubs().empty();
}

std::optional<Endpoint> Node::hub_endpoint() const {
  for (const auto& [handle, session] : sessions_) {
    if (session->hub_link && session->route) return session->route->endpoint;
  }
  return std::nullopt;
}

bool Node::is_wrong_network(const crypto::SessionPublic& key) const {
  return std::ranges::any_of(configured_hubs_, [&](const ConfiguredHub& hub) {
    return hub.key == key && hub.wrong_network;
  });
}

// Those whose key we do not know yet, as `status` shows them.
std::vector<HubStatus> Node::unmet_hubs() const {
  std::vector<HubStatus> out;
  for (const ConfiguredHub& hub : configured_hubs_) {
    const bool has_session = hub.key && device_.find_peer(*hub.key);
    if (has_session || hub.key == device_.public_key()) continue;
    HubStatus& row = out.emplace_back();
    row.endpoint = hub.endpoints.empty() ? hub.text : hub.endpoints.front().text();
    row.wrong_network = hub.wrong_network;
  }
  return out;
}

}  // namespace ginnel::node
