// Whom this node talks to without being asked, and when it talks to nobody:
//
//   connect_to_all    connect = "eager": a session to everybody who is there
//   update_stopped    when_hubs_lost = "stop": nothing moves between peers while every hub is lost
#include <algorithm>

#include "node/node.h"

namespace ginnel::node {
namespace {

// Who could not be reached is called again after this time.
constexpr Nanoseconds kConnectAgain = 10s;

}  // namespace

void Node::connect_to_all(Instant now) {
  if (!config_.connect_eagerly || stopped_) return;
  connect_again_ = now + kConnectAgain;
  std::vector<Id> missing;
  for (const auto& [id, peer] : directory_.peers()) {
    const Session* session = find(id);
    if (peer.is_online() && !(session && session->has_key_pair)) missing.push_back(id);
  }
  for (const Id& id : missing) session_with(now, id);
}

void Node::run_reach(Instant now) {
  if (!connect_again_ || *connect_again_ > now) return;
  connect_again_.reset();
  connect_to_all(now);
}

// A hub is never without a hub.
void Node::update_stopped(Instant now) {
  if (!config_.stop_without_hubs || config_.hub) return;
  const bool lost = std::ranges::none_of(sessions_, [](const auto& entry) {
    const auto& link = entry.second->hub_link;
    return link && link->state() == HubLink::State::kOnline;
  });
  if (std::exchange(stopped_, lost) == lost) return;
  forwarding_changed();
  if (lost) {
    return notice(Notice::Level::kWarning, std::string(code_name(Errc::kHubUnreachable)),
                  "every hub is lost: nothing goes to peers until one is back "
                  "(network.when_hubs_lost)");
  }
  notice(Notice::Level::kInfo, "", "a hub is back: packets and messages go on");
  for (auto& [handle, session] : sessions_) wake(*session);
  connect_to_all(now);
}

// What moves between us and this node now. Hubs are always talked to, or none could be back.
bool Node::is_stopped(const Session& session) const {
  return stopped_ && !session.hub_link && !session.stock;
}

}  // namespace ginnel::node
