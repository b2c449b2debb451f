// Messages by Id: programs' sends in, arrived ones out, and acknowledgements.
//
//   send         name -> Id -> session -> channel; what has no lanes yet waits in `early`, what has
//                no Id yet in `unresolved_`
//   send_acked   the same, with a message id whose TAKEN settles it
//   arrived      waits in its lane until a subscriber's program takes it
#include <algorithm>

#include "base/timers.h"
#include "node/node.h"
#include "proto/control/acknowledgement.h"
#include "proto/control/datagram.h"
#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

using control::ControlType;
using control::NotTaken;

Error error_of(Channels::SendError error) {
  switch (error) {
    case Channels::SendError::kWouldBlock:
      return {Errc::kWouldBlock, "the channel's window is full", "wait until it is writable"};
    case Channels::SendError::kTooLarge:
      return {Errc::kTooLarge, "a message holds at most 16 MiB", "send a larger one as a file"};
    case Channels::SendError::kBadChannel:
      return {Errc::kUsage, "a channel's name has 1 to 64 bytes", ""};
    case Channels::SendError::kTooManyLanes:
      return {Errc::kWouldBlock, "64 channels to this peer are open", ""};
  }
  return {};
}

}  // namespace

Result<void, Error> Node::send_to(Session& session, std::string_view channel,
                                  std::uint64_t message_id, ConstBytes data) {
  if (data.size() > control::kMessageBytesMax) {
    return Fail(error_of(Channels::SendError::kTooLarge));
  }
  wake(session);
  // Until the other's HELLO shows its epoch a copy is kept, see flush_early.
  if (!session.is_ready()) {
    const bool fits = session.early.empty() || session.early_bytes + data.size() <= kChannelWindowBytes;
    if (!fits) return Fail(error_of(Channels::SendError::kWouldBlock));
    // Lanes of an earlier session go on if the epochs are the same: order and all.
    if (session.channels && session.early.empty()) session.early_in_lanes = true;
    if (session.early_in_lanes) {
      const auto sent = session.channels->send(channel, message_id, data);
      if (!sent) return Fail(error_of(sent.error()));
    }
    session.early.push_back({std::string(channel), message_id, to_vector(data)});
    session.early_bytes += data.size();
    if (!session.channels) open_early_channels(session);
    return {};
  }
  const auto sent = session.channels->send(channel, message_id, data);
  return sent ? Result<void, Error>{} : Fail(error_of(sent.error()));
}

// The other's epoch stands in its row of table E: lanes can open before its HELLO comes, so the
// first message rides in the first packet.
void Node::open_early_channels(Session& session) {
  const Peer* peer = session.id ? directory_.find(*session.id) : nullptr;
  if (!peer) return;
  std::uint64_t epoch = session.hello.peer_epoch();
  for (const auto& [hub, row] : peer->hubs) epoch = std::max(epoch, row.epoch);
  if (epoch == 0) return;
  session.channels = std::make_unique<Channels>(
      Channels::Options{.own_epoch = epoch_, .peer_epoch = epoch}, budget_);
  session.early_in_lanes = true;
  for (const EarlyMessage& message : session.early) {
    (void)session.channels->send(message.channel, message.id, message.data);
  }
}

// The lanes are those of the right epoch now. What waited, or went into lanes of another epoch and
// so was dropped by the other side, enters them.
void Node::flush_early(Session& session) {
  auto early = std::exchange(session.early, {});
  session.early_bytes = 0;
  session.early_in_lanes = false;
  for (EarlyMessage& message : early) {
    const auto sent = session.channels->send(message.channel, message.id, message.data);
    if (sent || message.id == 0) continue;
    settle(message.id, error_of(sent.error()));
  }
}

Result<void, Error> Node::send(Instant now, std::string_view peer, std::string_view channel,
                               ConstBytes data) {
  const auto id = resolve(peer);
  if (!id) {
    const bool can_wait = !directory_.is_ambiguous(peer) && unresolved_.size() < kUnresolvedMax &&
                          unresolved_bytes_ + data.size() <= kChannelWindowBytes;
    if (!can_wait) return Fail(id.error());
    unresolved_bytes_ += data.size();
    unresolved_.push_back({std::string(peer), std::string(channel), to_vector(data),
                           now + config_.resolve_timeout});
    return {};
  }
  if (*id == self_.id) return deliver_to_self(channel, data);
  Session* session = session_with(now, *id);
  if (!session) return Fail(Error{Errc::kUnreachable, "no way to " + std::string(peer), ""});
  return send_to(*session, channel, 0, data);
}

void Node::send_acked(Instant now, std::uint64_t call, const std::vector<std::string>& peers,
                      std::string_view channel, ConstBytes data, Nanoseconds deadline) {
  for (const std::string& peer : peers) {
    const std::uint64_t message_id = next_message_id_++;
    AckedSend send{.call = call,
                   .peer_text = peer,
                   .peer = {},
                   .channel = std::string(channel),
                   .data = to_vector(data),
                   .deadline = now + deadline};
    if (acked_.size() >= kAckedSendsMax) {
      raise(AckSettled{call, {}, peer, Error{Errc::kWouldBlock, "too many sends are under way", ""}});
      continue;
    }
    const auto it = acked_.emplace(message_id, std::move(send)).first;
    hand_over(now, message_id, it->second);
  }
}

// Gives the message to its lane, once its peer is known and the lane has room.
void Node::hand_over(Instant now, std::uint64_t message_id, AckedSend& send) {
  const auto id = resolve(send.peer_text);
  if (!id) {
    // Whom nobody knows now may register within resolve_timeout; an ambiguous name stays so.
    if (directory_.is_ambiguous(send.peer_text) || Id::parse(send.peer_text)) {
      if (directory_.is_ambiguous(send.peer_text)) settle(message_id, id.error());
    }
    return;
  }
  if (*id == self_.id) {
    return settle(message_id, Error{Errc::kUsage, "a node does not message itself", ""});
  }
  send.peer = *id;
  Session* session = session_with(now, *id);
  if (!session) return;
  const auto sent = send_to(*session, send.channel, message_id, send.data);
  if (sent) {
    send.handed_over = true;
    send.data = {};
  } else if (sent.error().code != Errc::kWouldBlock) {
    settle(message_id, sent.error());
  }
}

void Node::settle(std::uint64_t message_id, std::optional<Error> error) {
  const auto it = acked_.find(message_id);
  if (it == acked_.end()) return;
  const AckedSend send = std::move(it->second);
  acked_.erase(it);
  raise(AckSettled{send.call, send.peer.value_or(Id{}), send.peer_text, std::move(error)});
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

// What was sent and not taken when the other node turned out to be a new run of itself.
void Node::fail_unanswered(const Session& session) {
  std::vector<std::uint64_t> lost;
  for (const auto& [message_id, send] : acked_) {
    if (!send.handed_over || send.peer != session.id) continue;
    const bool early = std::ranges::any_of(
        session.early, [&](const EarlyMessage& message) { return message.id == message_id; });
    if (!early) lost.push_back(message_id);
  }
  for (const std::uint64_t message_id : lost) {
    settle(message_id, Error{Errc::kUnreachable,
                             "the peer restarted; whether it had the message is unknown", ""});
  }
}

// A name may have become known, a lane writable, a path found.
void Node::resolve_waiting(Instant now) {
  std::vector<std::uint64_t> waiting;
  for (const auto& [message_id, send] : acked_) {
    if (!send.handed_over) waiting.push_back(message_id);
  }
  for (const std::uint64_t message_id : waiting) {
    const auto it = acked_.find(message_id);
    if (it != acked_.end()) hand_over(now, message_id, it->second);
  }
  for (std::size_t left = unresolved_.size(); left > 0; --left) {
    Unresolved message = std::move(unresolved_.front());
    unresolved_.pop_front();
    const auto id = resolve(message.peer_text);
    Session* session = id ? session_with(now, *id) : nullptr;
    if (session && send_to(*session, message.channel, 0, message.data)) {
      unresolved_bytes_ -= message.data.size();
    } else {
      unresolved_.push_back(std::move(message));
    }
  }
}

void Node::expire_messages(Instant now) {
  resolve_waiting_if_needed(now);
  std::vector<std::uint64_t> late;
  for (const auto& [message_id, send] : acked_) {
    if (send.deadline <= now) late.push_back(message_id);
  }
  for (const std::uint64_t message_id : late) settle_late(message_id);
  while (!unresolved_.empty() && unresolved_.front().deadline <= now) {
    const Unresolved message = std::move(unresolved_.front());
    unresolved_.pop_front();
    unresolved_bytes_ -= message.data.size();
    notice(Notice::Level::kWarning, "E_UNKNOWN_PEER",
           "a message for " + message.peer_text + " was not sent: nobody by this name came");
  }
}

void Node::resolve_waiting_if_needed(Instant now) {
  const bool waits = !unresolved_.empty() || std::ranges::any_of(acked_, [](const auto& send) {
    return !send.second.handed_over;
  });
  if (waits) resolve_waiting(now);
}

void Node::settle_late(std::uint64_t message_id) {
  const AckedSend& send = acked_.at(message_id);
  const std::string who = send.peer_text;
  // The receiver is asked to drop it, so that a message reported as failed is not given later.
  Session* session = send.peer ? find(*send.peer) : nullptr;
  if (session && session->channels && send.handed_over) {
    session->channels->send_control(ControlType::kCancel,
                                    control::to_bytes(control::Cancel{message_id}));
    wake(*session);
  }
  if (send.no_subscriber) {
    return settle(message_id, Error{Errc::kNoSubscriber,
                                    "no program on " + who + " takes channel " + send.channel,
                                    "start one there: ginnel sub " + send.channel});
  }
  if (!send.peer) return settle(message_id, resolve(who).error());
  if (!session || !session->has_key_pair) {
    return settle(message_id, Error{Errc::kTimeout, who + " did not answer in time",
                                    "see why: ginnel why " + who});
  }
  settle(message_id, Error{Errc::kTimeout, who + " did not take the message in time", ""});
}

void Node::subscribe(std::string_view channel) {
  const auto it = subscriptions_.emplace(channel, 0u).first;
  ++it->second;
  for (const auto& [handle, session] : sessions_) {
    if (session->id && session->channels && session->channels->has_message(channel)) {
      raise(MessageReady{*session->id, std::string(channel)});
    }
  }
}

void Node::subscribe_all() {
  ++subscribed_to_all_;
  for (const auto& [handle, session] : sessions_) {
    if (!session->id || !session->channels) continue;
    for (const std::string& channel : session->channels->waiting()) {
      raise(MessageReady{*session->id, channel});
    }
  }
}

void Node::unsubscribe(std::string_view channel) {
  const auto it = subscriptions_.find(channel);
  if (it != subscriptions_.end() && --it->second == 0) subscriptions_.erase(it);
}

void Node::handle_arrived(Session& session, const std::string& channel) {
  if (!session.id) return;
  if (is_subscribed(channel)) {
    raise(MessageReady{*session.id, channel});
    return;
  }
  // The sender learns why nothing is acknowledged; the message stays for a subscriber to come.
  if (const auto waiting = session.channels->peek(channel); waiting && *waiting != 0) {
    session.channels->send_control(
        ControlType::kNotTaken,
        control::to_bytes(NotTaken{*waiting, NotTaken::Code::kNoSubscriber}));
    wake(session);
  }
}

std::optional<Arrived> Node::take_message(const Id& from, std::string_view channel) {
  if (from == self_.id) return take_own(channel);
  Session* session = find(from);
  if (!session || !session->channels) return std::nullopt;
  auto out = session->channels->take(channel);
  wake(*session);
  return out;
}

void Node::taken(const Id& from, std::uint64_t message_id) {
  Session* session = find(from);
  if (message_id == 0 || !session || !session->channels) return;
  session->channels->send_control(ControlType::kTaken,
                                  control::to_bytes(control::Taken{message_id}));
  wake(*session);
}

// A program may message its own node; the message never leaves it.
Result<void, Error> Node::deliver_to_self(std::string_view channel, ConstBytes data) {
  if (own_messages_.size() >= kUnresolvedMax) {
    return Fail(error_of(Channels::SendError::kWouldBlock));
  }
  own_messages_.push_back({std::string(channel), to_vector(data)});
  if (is_subscribed(channel)) raise(MessageReady{self_.id, std::string(channel)});
  return {};
}

std::optional<Arrived> Node::take_own(std::string_view channel) {
  const auto it = std::ranges::find_if(
      own_messages_, [&](const auto& message) { return message.first == channel; });
  if (it == own_messages_.end()) return std::nullopt;
  Arrived out{0, std::move(it->second)};
  own_messages_.erase(it);
  return out;
}

Result<void, Error> Node::send_datagram(Instant now, std::string_view peer,
                                        std::string_view channel, ConstBytes data) {
  if (channel.empty() || channel.size() > control::kChannelBytesMax) {
    return Fail(error_of(Channels::SendError::kBadChannel));
  }
  if (data.size() > kDatagramBytesMax) {
    return Fail(Error{Errc::kTooLarge, "a datagram holds at most 1024 bytes", "send a message"});
  }
  const auto id = resolve(peer);
  if (!id) return Fail(id.error());
  Session* session = session_with(now, *id);
  const bool queued = session && push_frame(*session, control::Datagram{channel, data});
  if (!queued) return Fail(Error{Errc::kUnreachable, "no room, or no way to the peer", ""});
  return {};
}

std::size_t Node::outstanding() const {
  std::size_t out = 0;
  for (const auto& [handle, session] : sessions_) {
    out += session->early_bytes;
    if (session->channels) out += session->channels->outstanding();
  }
  return out;
}

Result<void, Error> Node::ping(Instant now, std::string_view peer, std::uint64_t id,
                               std::uint32_t sequence, std::size_t size) {
  const auto who = resolve(peer);
  if (!who) return Fail(who.error());
  Session* session = session_with(now, *who);
  if (!session) return Fail(Error{Errc::kUnreachable, "no way to " + std::string(peer), ""});
  const ByteVector padding(std::min(size, control::kPingPaddingBytesMax));
  control::Ping ping{id, sequence, static_cast<std::uint64_t>(now.ns), padding};
  (void)push_frame(*session, ping);
  return {};
}

}  // namespace ginnel::node
