// Streams: one request, at most one answer, then they close.
#include "proto/swim/limits.h"
#include "proto/swim/swim.h"

namespace ginnel::swim {

std::optional<StreamId> Swim::open_stream(Instant now, const Endpoint& to, ConstBytes message,
                                          decltype(Stream::purpose) purpose,
                                          std::uint8_t encryption) {
  if (streams_.size() >= kStreamsMax) {
    count(Drop::kQueueFull);
    return std::nullopt;
  }
  const StreamId id(++streams_made_);
  ByteVector bytes;
  framer_.seal_stream(message, Framer::Side::kDialer, encryption, rng_, bytes);
  streams_.emplace(id, Stream{to, StreamReader(Framer::Side::kDialer), std::move(purpose)});
  stream_deadlines_.set(id, now + config_.tcp_timeout);
  events_.push_back(StreamOpen{id, to});
  events_.push_back(StreamWrite{id, std::move(bytes)});
  return id;
}

Result<StreamId, Drop> Swim::send_reliable(Instant now, std::string_view name,
                                           ConstBytes message) {
  const Member* member = members_.table().find(name);
  if (member == nullptr) return Fail(Drop::kUnknownMember);
  if (message.empty()) return Fail(Drop::kEmpty);
  // What is compressed may grow, and then the whole must still fit into one encrypted frame.
  if (message.size() > kStreamBytesMax / 2) return Fail(Drop::kTooLarge);
  ByteVector out;
  write_user(message, out);
  const auto stream = open_stream(now, member->endpoint, out, UserSend{},
                                  seal_for(*member).encryption_version);
  if (!stream) return Fail(Drop::kQueueFull);
  return *stream;
}

std::optional<StreamId> Swim::accept_stream(Instant now, const Endpoint& from) {
  if (inbound_ >= kStreamsInboundMax || streams_.size() >= kStreamsMax) {
    count(Drop::kQueueFull);
    return std::nullopt;
  }
  const StreamId id(++streams_made_);
  streams_.emplace(id, Stream{from, StreamReader(Framer::Side::kListener), Inbound{}});
  stream_deadlines_.set(id, now + config_.tcp_timeout);
  ++inbound_;
  return id;
}

void Swim::handle_stream_data(Instant now, StreamId id, ConstBytes bytes) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  Stream& stream = it->second;
  const auto complete = stream.reader.feed(bytes, framer_);
  if (!complete) return refuse_stream(id, complete.error());
  if (!*complete) return;
  if (std::holds_alternative<Inbound>(stream.purpose)) handle_request(now, id, stream);
  else handle_reply(now, id, stream);
  arm_gossip(now);
}

void Swim::handle_request(Instant now, StreamId id, Stream& stream) {
  const ConstBytes body = stream.reader.body();
  switch (stream.reader.type()) {
    case MessageType::kPing: {
      const auto ping = Ping::parse(body);
      if (!ping) return refuse_stream(id, ping.error());
      if (members_.is_silent()) break;
      if (!ping->node.empty() && ping->node != config_.name) {
        return refuse_stream(id, Drop::kNotForUs);
      }
      reply(id, encode(Ack{ping->seq, {}}));
      break;
    }
    case MessageType::kUser: {
      const auto message = parse_user(body);
      if (!message) return refuse_stream(id, message.error());
      events_.push_back(UserMessage{to_vector(*message), true, stream.peer});
      break;
    }
    case MessageType::kPushPull: {
      const auto remote = PushPullReader::parse(body);
      if (!remote) return refuse_stream(id, remote.error());
      meet(now, *remote, Met::kByTheirs);
      // memberlist: the answer is what we knew before the merge, with the same Join.
      reply(id, own_state(remote->header().join));
      handle_remote_state(now, *remote, body, {stream.peer});
      break;
    }
    default: return refuse_stream(id, Drop::kUnknownType);
  }
  close_stream(id);
}

void Swim::handle_reply(Instant now, StreamId id, Stream& stream) {
  const ConstBytes body = stream.reader.body();
  if (stream.reader.type() == MessageType::kError) {
    const auto error = ErrorReply::parse(body);
    return fail_stream(id, JoinError::kRefused,
                       error ? std::string(error->text) : "unreadable error");
  }
  if (const auto* ping = std::get_if<StreamPing>(&stream.purpose)) {
    const auto ack = Ack::parse(body);
    const bool ours = ack && ack->seq == ping->seq && probe_ && probe_->seq == ping->seq;
    if (ours) probe_->stream_answered = true;
    return close_stream(id);
  }
  const auto* push_pull = std::get_if<PushPull>(&stream.purpose);
  const auto remote = PushPullReader::parse(body);
  const bool is_state = stream.reader.type() == MessageType::kPushPull && remote;
  if (push_pull == nullptr || !is_state) return fail_stream(id, JoinError::kRefused, "unexpected answer");
  handle_remote_state(now, *remote, body, {stream.peer, push_pull->join});
  close_stream(id);
}

void Swim::reply(StreamId id, ConstBytes message) {
  ByteVector bytes;
  framer_.seal_stream(message, Framer::Side::kListener, 1, rng_, bytes);
  events_.push_back(StreamWrite{id, std::move(bytes)});
}

void Swim::close_stream(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  if (std::holds_alternative<Inbound>(it->second.purpose)) --inbound_;
  streams_.erase(it);
  stream_deadlines_.stop(id);
  events_.push_back(StreamClose{id});
}

// memberlist tells the other why its request could not be read, except where it simply closes: a
// wrong label, an unknown type, a ping for another name.
void Swim::refuse_stream(StreamId id, Drop why) {
  count(why);
  const auto it = streams_.find(id);
  const bool inbound = std::holds_alternative<Inbound>(it->second.purpose);
  const bool silent = why == Drop::kWrongLabel || why == Drop::kUnknownType ||
                      why == Drop::kNotForUs;
  if (!inbound) return fail_stream(id, JoinError::kRefused, std::string(name_of(why)));
  const std::string_view text =
      why == Drop::kUnexpectedCipher ? "Remote state is encrypted and encryption is not configured"
      : why == Drop::kNotEncrypted   ? "Encryption is configured but remote state is not encrypted"
                                     : name_of(why);
  if (!silent) reply(id, encode(ErrorReply{text}));
  close_stream(id);
}

void Swim::handle_stream_closed(Instant, StreamId id, StreamEnd end) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  // The receiver of a user message closes when it has it all; that is our only sign.
  if (end == StreamEnd::kClosed && std::holds_alternative<UserSend>(it->second.purpose)) {
    close_stream(id);
    events_.push_back(SendDone{id, true});
    return;
  }
  if (end == StreamEnd::kFailed) return fail_stream(id, JoinError::kUnreachable, "no connection");
  fail_stream(id, JoinError::kRefused, "closed without an answer");
}

void Swim::fail_stream(StreamId id, JoinError error, std::string why) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  const Endpoint peer = it->second.peer;
  const auto* push_pull = std::get_if<PushPull>(&it->second.purpose);
  const bool join = push_pull != nullptr && push_pull->join;
  const bool send = std::holds_alternative<UserSend>(it->second.purpose);
  close_stream(id);
  if (join) events_.push_back(JoinFailed{peer, error, std::move(why)});
  if (send) events_.push_back(SendDone{id, false});
}

}  // namespace ginnel::swim
