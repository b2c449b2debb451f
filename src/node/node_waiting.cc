// Messages that wait, and acknowledged sends.
//
//   1. a send whose peer is not known yet, or an acknowledged one whose channel is full:
//   `waiting_`,
//      in the order of sending. None overtakes an earlier one to the same peer and channel.
//   2. resolve_waiting: a name came, a channel is writable, the budget has room
//   3. handed over, an acknowledged send stays in `acked_` until TAKEN, or its deadline, settles it
#include <algorithm>

#include "base/assert.h"
#include "node/node.h"
#include "proto/control/acknowledgement.h"
#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

using control::ControlType;
using control::NotTaken;

Error no_room() { return {Errc::kWouldBlock, "too many messages wait", "wait for some to arrive"}; }

}  // namespace

// One key for all ways to name a peer that is known.
std::string Node::key_of(std::string_view peer_text) const {
  const auto id = resolve(peer_text);
  return id ? id->text() : std::string(peer_text);
}

bool Node::is_waiting(std::string_view peer_text, const LaneKey& lane) const {
  if (waiting_.empty()) return false;
  const std::string key = key_of(peer_text);
  return std::ranges::any_of(waiting_, [&](const auto& entry) {
    const Waiting& message = entry.second;
    return message.lane == lane &&
           (message.peer_text == peer_text || key_of(message.peer_text) == key);
  });
}

// One message of any size may wait alone.
bool Node::has_waiting_room(std::size_t bytes) const {
  return waiting_.empty() || waiting_bytes_ + bytes <= kWaitingBytesMax;
}

Result<void, Error> Node::wait_for_name(Instant now, std::string_view peer,
                                        std::string_view channel, ConstBytes data) {
  if (data.size() > control::kMessageBytesMax) {
    return Fail(Error{Errc::kTooLarge, "a message holds at most 16 MiB", ""});
  }
  if (!has_waiting_room(data.size())) return Fail(no_room());
  std::size_t names = 0;
  std::size_t bytes = 0;
  for (const auto& [order, message] : waiting_) {
    if (!message.deadline) continue;
    ++names;
    if (message.peer_text == peer && message.lane.channel == channel) bytes += message.data.size();
  }
  // The window of a channel holds before its peer is known too.
  const bool fits = bytes == 0 || bytes + data.size() <= kChannelWindowBytes;
  if (names >= kUnresolvedMax || !fits) return Fail(no_room());
  waiting_.emplace(next_message_id_++, Waiting{std::string(peer),
                                               {LaneKind::kMessages, std::string(channel)},
                                               to_vector(data),
                                               now + config_.resolve_timeout});
  waiting_bytes_ += data.size();
  return {};
}

void Node::send_acked(Instant now, std::uint64_t call, const std::vector<std::string>& peers,
                      std::string_view channel, ConstBytes data, Nanoseconds deadline) {
  for (const std::string& peer : peers) {
    begin_acked(now,
                {.call = call,
                 .peer_text = peer,
                 .peer = {},
                 .lane = {LaneKind::kMessages, std::string(channel)},
                 .deadline = now + deadline},
                data);
  }
}

void Node::begin_acked(Instant now, AckedSend send, ConstBytes data) {
  if (acked_.size() >= kAckedSendsMax || !has_waiting_room(data.size())) {
    return raise_settled(send, no_room());
  }
  const std::uint64_t id = next_message_id_++;
  const bool behind = is_waiting(send.peer_text, send.lane);
  Waiting message{send.peer_text, send.lane, to_vector(data), {}};
  acked_.emplace(id, std::move(send));
  if (!behind && hand_over(now, id, message)) return;
  waiting_bytes_ += message.data.size();
  waiting_.emplace(id, std::move(message));
}

// Gives the message to its channel. False: it has to wait (on).
bool Node::hand_over(Instant now, std::uint64_t order, const Waiting& message) {
  const auto acked = acked_.find(order);
  const auto id = resolve(message.peer_text);
  if (!id) {
    // Whom nobody knows now may register in time; an ambiguous name stays so.
    if (acked == acked_.end() || !stays_unknown(message.peer_text)) return false;
    settle(order, id.error());
    return true;
  }
  if (acked != acked_.end() && *id == self_.id) {
    settle(order, Error{Errc::kUsage, "a node does not message itself", ""});
    return true;
  }
  Session* session = session_with(now, *id);
  if (!session) return false;
  const std::uint64_t message_id = acked == acked_.end() ? message.reply_to : order;
  const auto sent = send_to(*session, message.lane, message_id, message.data);
  if (sent && acked != acked_.end()) acked->second.peer = *id;
  if (sent) return true;
  if (sent.error().code == Errc::kWouldBlock || acked == acked_.end()) return false;
  settle(order, sent.error());
  return true;
}

void Node::stop_waiting(std::uint64_t order) {
  const auto it = waiting_.find(order);
  if (it == waiting_.end()) return;
  waiting_bytes_ -= it->second.data.size();
  waiting_.erase(it);
}

void Node::resolve_waiting(Instant now) {
  // Whose earlier message waits on: as the program names the peer, and by its Id.
  std::set<std::pair<std::string_view, LaneKey>> stuck;
  std::set<std::pair<std::string, LaneKey>> stuck_keys;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto at = it++;
    const Waiting& message = at->second;
    if (stuck.contains({message.peer_text, message.lane})) continue;
    const std::pair key(key_of(message.peer_text), message.lane);
    if (!stuck_keys.contains(key) && hand_over(now, at->first, message)) {
      stop_waiting(at->first);
      continue;
    }
    stuck.emplace(message.peer_text, message.lane);
    stuck_keys.insert(key);
  }
  tell_refused();
}

void Node::handle_budget_freed(Instant now) {
  std::vector<wg::PeerHandle> handles;
  for (const auto& [handle, session] : sessions_) {
    if (session->channels) handles.push_back(handle);
  }
  for (const wg::PeerHandle handle : handles) {
    Session* session = find(handle);
    if (!session || !session->channels) continue;
    session->channels->handle_budget_freed();
    wake(*session);
    handle_channel_events(now, *session);
  }
  tell_refused();
}

// At the limit all are told: to ask once in vain costs a program little.
void Node::refuse_until_writable(const Id& peer, const LaneKey& lane) {
  if (lane.kind != LaneKind::kMessages) return;  // no program waits: the node keeps what it is
  if (refused_.size() >= kUnresolvedMax) {
    for (const auto& [id, name] : refused_) raise(ChannelWritable{id, name});
    refused_.clear();
  }
  refused_.emplace(peer, lane.channel);
}

// Those whose channel takes messages again.
void Node::tell_refused() {
  for (auto it = refused_.begin(); it != refused_.end();) {
    const auto& [id, channel] = *it;
    const Session* session = find(id);
    const LaneKey lane{LaneKind::kMessages, channel};
    if ((session && !session->early.empty()) || is_waiting(id.text(), lane)) {
      ++it;
      continue;
    }
    raise(ChannelWritable{id, channel});
    it = refused_.erase(it);
  }
}

void Node::settle(std::uint64_t message_id, std::optional<Error> error) {
  const auto it = acked_.find(message_id);
  if (it == acked_.end()) return;
  const AckedSend send = std::move(it->second);
  acked_.erase(it);
  raise_settled(send, std::move(error));
}

void Node::raise_settled(const AckedSend& send, std::optional<Error> error) {
  const Id peer = send.peer.value_or(Id{});
  if (!send.is_request()) {
    return raise(AckSettled{send.call, peer, send.peer_text, std::move(error)});
  }
  GINNEL_ASSERT(error);  // an answer comes by settle_reply
  raise(RequestSettled{send.call, peer, send.peer_text, Fail(*std::move(error))});
}

void Node::note_not_taken(const control::NotTaken& message) {
  const auto it = acked_.find(message.message_id);
  if (it == acked_.end()) return;
  if (message.code == NotTaken::Code::kNoSubscriber) {
    it->second.no_subscriber = true;  // one may still come before the deadline
    return;
  }
  settle(message.message_id, Error{Errc::kDenied, "the receiver did not take the message", ""});
}

// What was sent and not taken when the run of the other node that had it was over.
void Node::fail_unanswered(const Session& session, const Error& why) {
  std::vector<std::uint64_t> lost;
  for (const auto& [message_id, send] : acked_) {
    if (!send.peer || send.peer != session.id) continue;
    const bool early = std::ranges::any_of(
        session.early, [&](const EarlyMessage& message) { return message.id == message_id; });
    if (!early) lost.push_back(message_id);
  }
  for (const std::uint64_t message_id : lost) settle(message_id, why);
}

void Node::expire_messages(Instant now) {
  if (!waiting_.empty()) resolve_waiting(now);
  std::vector<std::uint64_t> late;
  for (const auto& [message_id, send] : acked_) {
    if (send.deadline <= now) late.push_back(message_id);
  }
  for (const std::uint64_t message_id : late) settle_late(message_id);
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto at = it++;
    const Waiting& message = at->second;
    if (!message.deadline || *message.deadline > now) continue;
    const auto id = resolve(message.peer_text);
    Error why{Errc::kUnreachable, "no way to " + message.peer_text, ""};
    if (!id) why = id.error();
    raise_undelivered({id ? *id : Id(), message.peer_text, message.lane.channel, message.data,
                       false, std::move(why)});
    stop_waiting(at->first);
  }
  tell_refused();
}

// The receiver is asked to drop it, so that a message reported as failed is not given later.
void Node::withdraw(std::uint64_t message_id) {
  const AckedSend& send = acked_.at(message_id);
  stop_waiting(message_id);
  Session* session = send.peer ? find(*send.peer) : nullptr;
  if (!session || !session->channels) return;
  session->channels->send_control(ControlType::kCancel,
                                  control::to_bytes(control::Cancel{message_id}));
  wake(*session);
}

void Node::settle_late(std::uint64_t message_id) {
  const AckedSend& send = acked_.at(message_id);
  const std::string who = send.peer_text;
  withdraw(message_id);
  if (send.no_subscriber && send.is_request()) {
    return settle(message_id, Error{Errc::kTimeout,
                                    "no program on " + who + " replies on channel " +
                                        send.lane.channel,
                                    "start one there: ginnel reply " + send.lane.channel});
  }
  if (send.no_subscriber) {
    return settle(message_id, Error{Errc::kNoSubscriber,
                                    "no program on " + who + " takes channel " + send.lane.channel,
                                    "start one there: ginnel sub " + send.lane.channel});
  }
  const auto id = resolve(who);
  if (!id) return settle(message_id, id.error());
  const Session* session = find(*id);
  if (!session || !session->has_key_pair) {
    return settle(message_id, Error{Errc::kTimeout, who + " did not answer in time",
                                    "see why: ginnel why " + who});
  }
  const std::string what =
      send.is_request() ? " did not reply in time" : " did not take the message in time";
  settle(message_id, Error{Errc::kTimeout, who + what, ""});
}

}  // namespace ginnel::node
