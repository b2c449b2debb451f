// Streams: one request, at most one answer, then they close.
#include "proto/swim/limits.h"
#include "proto/swim/misfit.h"
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
  const bool inbound = std::holds_alternative<Inbound>(stream.purpose);
  if (inbound && buffered_bytes_ + bytes.size() > kStreamsBufferedMax) {
    return refuse_stream(now, id, Drop::kQueueFull);
  }
  if (inbound) buffered_bytes_ -= stream.reader.buffered_bytes();
  const auto complete = stream.reader.feed(bytes, framer_);
  if (inbound) buffered_bytes_ += stream.reader.buffered_bytes();
  if (!complete) return refuse_stream(now, id, complete.error());
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
      if (!ping) return refuse_stream(now, id, ping.error());
      if (members_.is_silent()) break;
      if (!ping->node.empty() && ping->node != config_.name) {
        return refuse_stream(now, id, Drop::kNotForUs);
      }
      reply(id, encode(Ack{ping->seq, {}}));
      break;
    }
    case MessageType::kUser: {
      const auto message = parse_user(body);
      if (!message) return refuse_stream(now, id, message.error());
      events_.push_back(UserMessage{to_vector(*message), true, stream.peer});
      break;
    }
    case MessageType::kPushPull: {
      const auto remote = PushPullReader::parse(body);
      if (!remote) return refuse_stream(now, id, remote.error());
      meet(now, *remote, Met::kByTheirs);
      // memberlist: the answer is what we knew before the merge, with the same Join.
      reply(id, own_state(remote->header().join));
      handle_remote_state(now, *remote, body, {stream.peer});
      break;
    }
    default: return refuse_stream(now, id, Drop::kUnknownType);
  }
  close_stream(id);
}

void Swim::handle_reply(Instant now, StreamId id, Stream& stream) {
  const ConstBytes body = stream.reader.body();
  if (stream.reader.type() == MessageType::kError) {
    const auto error = ErrorReply::parse(body);
    if (auto note = error ? note_of(error->text) : std::nullopt) {
      tell_misfit(now, {stream.peer, Drop::kWrongLabel, true, *std::move(note)});
      return fail_stream(id, JoinError::kRefused, std::string(name_of(Drop::kWrongLabel)));
    }
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
  if (std::holds_alternative<Inbound>(it->second.purpose)) {
    --inbound_;
    buffered_bytes_ -= it->second.reader.buffered_bytes();
  }
  streams_.erase(it);
  stream_deadlines_.stop(id);
  events_.push_back(StreamClose{id});
}

void Swim::refuse_stream(Instant now, StreamId id, Drop why) {
  const auto it = streams_.find(id);
  if (!std::holds_alternative<Inbound>(it->second.purpose)) return fail_reply(now, id, why);
  count(why);
  ByteVector answer = refusal(now, it->second, why);
  if (!answer.empty()) events_.push_back(StreamWrite{id, std::move(answer)});
  close_stream(id);
}

// memberlist tells the other why its request could not be read, except where it simply closes: a
// wrong label, an unknown type, a ping for another name. Ours adds a note in clear for whoever has
// another key or label: memberlist's members do not read so far.
ByteVector Swim::refusal(Instant now, const Stream& stream, Drop why) {
  const bool silent = why == Drop::kWrongLabel || why == Drop::kUnknownType ||
                      why == Drop::kNotForUs || why == Drop::kQueueFull;
  const std::string_view text =
      why == Drop::kUnexpectedCipher ? "Remote state is encrypted and encryption is not configured"
      : why == Drop::kNotEncrypted   ? "Encryption is configured but remote state is not encrypted"
                                     : name_of(why);
  ByteVector out;
  if (!silent) {
    framer_.seal_stream(encode(ErrorReply{text}), Framer::Side::kListener, 1, rng_, out);
  }
  if (why != Drop::kWrongKey && why != Drop::kWrongLabel) return out;
  auto theirs = label_before(stream.reader.unread());
  const bool label = why == Drop::kWrongLabel && theirs.has_value();
  tell_misfit(now, {stream.peer, why, false, label ? "label here: \"" + *theirs + "\"" : ""});
  if (!may_note(now)) return out;
  const ByteVector note = encode(ErrorReply{misfit_note(framer_)});
  out.insert(out.end(), note.begin(), note.end());
  return out;
}

// An answer of another's that we cannot read. The reason of the same fault is always the same, with
// or without a note, since whoever dials again and again tells each new reason.
void Swim::fail_reply(Instant now, StreamId id, Drop why) {
  const Stream& stream = streams_.at(id);
  auto note = find_note(stream.reader.unread());
  if (note && !note->sealed_first) why = Drop::kWrongLabel;
  count(why);
  if (note || why == Drop::kWrongKey) {
    tell_misfit(now, {stream.peer, why, true, note ? std::move(note->text) : ""});
  }
  fail_stream(id, JoinError::kRefused, std::string(name_of(why)));
}

bool Swim::may_note(Instant now) {
  if (now - notes_since_ >= 1s) {
    notes_since_ = now;
    notes_ = 0;
  }
  return notes_++ < kNotesPerSecond;
}

void Swim::tell_misfit(Instant now, Misfit misfit) {
  auto& told = misfit_told_[misfit.dialled_by_us ? 1 : 0];
  if (told && now - *told < kMisfitPause) return;
  told = now;
  events_.push_back(std::move(misfit));
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
