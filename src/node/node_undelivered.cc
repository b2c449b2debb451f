// What is not known to have arrived and never will, so that nothing is dropped silently.
//
//   1. the peer restarted, left or was revoked: its run is over, and the lanes with it
//      (retire_channels)
//   2. it is silent for Config::retain while something waits (look_for_absent): the lanes are reset,
//      for it may be there again later in the same run (give_up_on)
//   3. a message of a plain send comes back as Undelivered. An acknowledged one fails in the first
//      case; in the second it goes on waiting for its deadline, and is sent again in a new lane: its
//      id keeps it from being given twice. A request likewise.
#include "base/timers.h"
#include "node/node.h"

namespace ginnel::node {
namespace {

// Those of a session's early messages that are in lanes stand there too; one copy is enough.
bool lanes_hold_early_only(const Session& session) {
  return !session.early.empty() && session.early.front().in_lanes;
}

}  // namespace

Losses& Node::losses_of(const Session& session) {
  return losses_[session.id.value_or(Id())];
}

void Node::raise_undelivered(Undelivered message) {
  Losses& losses = losses_[message.peer];
  ++(message.sent ? losses.messages_unknown : losses.messages_not_sent);
  raise(std::move(message));
}

void Node::give_back(const Session& session, GivenBack back, const Error& why) {
  if (back.lane.kind != LaneKind::kMessages || back.message.id != 0) return;
  const Id peer = session.id.value_or(Id());
  raise_undelivered({peer, peer.text(), back.lane.channel, std::move(back.message.data),
                     back.message.sent, why});
}

void Node::give_back(const Session& session, const EarlyMessage& message, const Error& why) {
  if (message.id != 0) return settle(message.id, why);
  give_back(session, {message.lane, {0, message.data, message.in_lanes}}, why);
}

// Who waits for room in these channels would wait for ever when they go.
void Node::retire_channels(Session& session, const Error& why) {
  if (!session.channels) return;
  if (session.id) forget_requests_of(*session.id);
  for (const LaneKey& lane : session.channels->blocked()) {
    if (session.id) refuse_until_writable(*session.id, lane);
  }
  if (!lanes_hold_early_only(session)) {
    for (GivenBack& back : session.channels->give_up()) give_back(session, std::move(back), why);
  }
  session.channels.reset();
}

void Node::look_for_absent(Instant now) {
  std::vector<wg::PeerHandle> gone;
  for (auto& [handle, session] : sessions_) {
    const bool waits = !session->early.empty() ||
                       (session->channels && session->channels->outstanding_messages() > 0);
    session->absence.look(now, session->heard(), waits);
    if (session->absence.silent() < config_.retain) continue;
    give_up_on(*session);
    gone.push_back(handle);
  }
  for (const wg::PeerHandle handle : gone) {
    if (Session* session = find(handle)) handle_channel_events(now, *session);  // who was blocked
  }
}

void Node::give_up_on(Session& session) {
  const Peer* peer = session.id ? directory_.find(*session.id) : nullptr;
  const std::string who = peer ? peer->record.name : std::string("the peer");
  const Error why{Errc::kUnreachable, who + " was not heard for as long as network.retain says",
                  "ginnel why " + who};
  session.absence.stop();
  std::vector<GivenBack> back;
  if (session.channels) back = session.channels->give_up();
  if (lanes_hold_early_only(session)) back.clear();
  const auto wait_again = [&](std::uint64_t id, ByteVector data) {
    const auto send = acked_.find(id);
    if (send == acked_.end()) return;
    send->second.peer.reset();
    waiting_bytes_ += data.size();
    waiting_.emplace(id, Waiting{send->second.peer_text, send->second.lane, std::move(data), {}});
  };
  for (GivenBack& message : back) {
    const bool wanted = message.lane.kind != LaneKind::kReplies && message.message.id != 0;
    if (wanted) wait_again(message.message.id, std::move(message.message.data));
    if (!wanted) give_back(session, std::move(message), why);
  }
  for (EarlyMessage& message : std::exchange(session.early, {})) {
    if (message.id != 0) wait_again(message.id, std::move(message.data));
    if (message.id == 0) give_back(session, message, why);
  }
  session.early_bytes = 0;
}

}  // namespace ginnel::node
