// Messages by Id: programs' sends in, arrived ones out.
//
//   send         name -> Id -> session -> channel; what has no lanes yet waits in `early`, what has
//                no Id yet in `waiting_` (node_waiting.cc)
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

Result<void, Error> Node::send_to(Session& session, const LaneKey& lane, std::uint64_t message_id,
                                  ConstBytes data) {
  if (data.size() > control::kMessageBytesMax) {
    return Fail(error_of(Channels::SendError::kTooLarge));
  }
  wake(session);
  if (!session.is_ready() || !session.early.empty()) {
    return keep_early(session, lane, message_id, data);
  }
  const auto sent = session.channels->send(lane, message_id, data);
  return sent ? Result<void, Error>{} : Fail(error_of(sent.error()));
}

// Until the other's HELLO shows its epoch a copy is kept, see flush_early.
Result<void, Error> Node::keep_early(Session& session, const LaneKey& lane,
                                     std::uint64_t message_id, ConstBytes data) {
  const bool fits =
      session.early.empty() || session.early_bytes + data.size() <= kChannelWindowBytes;
  if (!fits) {
    if (session.id) refuse_until_writable(*session.id, lane);
    return Fail(error_of(Channels::SendError::kWouldBlock));
  }
  bool in_lanes = false;
  if (session.channels && (session.early.empty() || session.early.back().in_lanes)) {
    const auto sent = session.channels->send(lane, message_id, data);
    if (!sent && session.id) refuse_until_writable(*session.id, lane);
    if (!sent) return Fail(error_of(sent.error()));
    in_lanes = true;
  }
  session.early.push_back({lane, message_id, to_vector(data), in_lanes});
  session.early_bytes += data.size();
  if (!session.channels) open_early_channels(session);
  return {};
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
  for (EarlyMessage& message : session.early) {
    const auto sent = session.channels->send(message.lane, message.id, message.data);
    if (!sent) return;
    message.in_lanes = true;
  }
}

// The lanes are those of the right epoch now. What waited, or went into lanes of another epoch and
// so was dropped by the other side, enters them; for what finds no room WritableAgain comes.
void Node::flush_early(Session& session) {
  while (!session.early.empty()) {
    const EarlyMessage& message = session.early.front();
    if (!message.in_lanes) {
      const auto sent = session.channels->send(message.lane, message.id, message.data);
      if (!sent && sent.error() == Channels::SendError::kWouldBlock) return;
      // More channels than there are lanes.
      if (!sent) give_back(session, message, error_of(sent.error()));
    }
    session.early_bytes -= message.data.size();
    session.early.pop_front();
  }
  tell_refused();
}

Result<void, Error> Node::send(Instant now, std::string_view peer, std::string_view channel,
                               ConstBytes data) {
  if (channel.empty() || channel.size() > control::kChannelBytesMax) {
    return Fail(error_of(Channels::SendError::kBadChannel));
  }
  const auto id = resolve(peer);
  if (!id) {
    if (stays_unknown(peer)) return Fail(id.error());
    return wait_for_name(now, peer, channel, data);
  }
  if (*id == self_.id) return deliver_to_self(channel, data);
  const LaneKey lane{LaneKind::kMessages, std::string(channel)};
  if (is_waiting(peer, lane)) {
    refuse_until_writable(*id, lane);
    return Fail(error_of(Channels::SendError::kWouldBlock));
  }
  Session* session = session_with(now, *id);
  if (!session) return Fail(Error{Errc::kUnreachable, "no way to " + std::string(peer), ""});
  return send_to(*session, lane, 0, data);
}

void Node::raise_ready(const Id& from, const LaneKey& lane) {
  if (lane.kind == LaneKind::kRequests) return raise(RequestReady{from, lane.channel});
  raise(MessageReady{from, lane.channel});
}

void Node::subscribe_lane(const LaneKey& lane) {
  ++subscriptions_[lane];
  for (const auto& [handle, session] : sessions_) {
    if (session->id && session->channels && session->channels->has_message(lane)) {
      raise_ready(*session->id, lane);
    }
  }
}

void Node::unsubscribe_lane(const LaneKey& lane) {
  const auto it = subscriptions_.find(lane);
  if (it != subscriptions_.end() && --it->second == 0) subscriptions_.erase(it);
}

void Node::subscribe(std::string_view channel) {
  subscribe_lane({LaneKind::kMessages, std::string(channel)});
  const bool own = std::ranges::any_of(
      own_messages_, [&](const auto& message) { return message.first == channel; });
  if (own) raise(MessageReady{self_.id, std::string(channel)});
}

void Node::unsubscribe(std::string_view channel) {
  unsubscribe_lane({LaneKind::kMessages, std::string(channel)});
}

void Node::subscribe_all() {
  ++subscribed_to_all_;
  for (const auto& [handle, session] : sessions_) {
    if (!session->id || !session->channels) continue;
    for (const LaneKey& lane : session->channels->waiting()) {
      if (lane.kind == LaneKind::kMessages) raise_ready(*session->id, lane);
    }
  }
  for (const auto& [channel, data] : own_messages_) raise(MessageReady{self_.id, channel});
}

void Node::handle_arrived(Session& session, const LaneKey& lane) {
  if (!session.id) return;
  if (lane.kind == LaneKind::kReplies) return take_replies(session, lane);
  if (is_subscribed(lane)) {
    raise_ready(*session.id, lane);
    return;
  }
  // The sender learns why nothing is acknowledged; the message stays for a subscriber to come.
  if (const auto waiting = session.channels->peek(lane); waiting && *waiting != 0) {
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
  session->channels->taken(message_id);
  wake(*session);
}

// A program may message its own node; the message never leaves it.
Result<void, Error> Node::deliver_to_self(std::string_view channel, ConstBytes data) {
  if (data.size() > control::kMessageBytesMax) {
    return Fail(error_of(Channels::SendError::kTooLarge));
  }
  if (own_messages_.size() >= kUnresolvedMax || !budget_.try_charge_receive(data.size())) {
    refuse_until_writable(self_.id, {LaneKind::kMessages, std::string(channel)});
    return Fail(error_of(Channels::SendError::kWouldBlock));
  }
  own_messages_.push_back({std::string(channel), to_vector(data)});
  const LaneKey lane{LaneKind::kMessages, std::string(channel)};
  if (is_subscribed(lane)) raise_ready(self_.id, lane);
  return {};
}

std::optional<Arrived> Node::take_own(std::string_view channel) {
  const auto it = std::ranges::find_if(
      own_messages_, [&](const auto& message) { return message.first == channel; });
  if (it == own_messages_.end()) return std::nullopt;
  Arrived out{0, std::move(it->second)};
  own_messages_.erase(it);
  budget_.release_receive(out.data.size());
  tell_refused();
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
  std::size_t out = waiting_bytes_;
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
