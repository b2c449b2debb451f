// A datagram comes in: handle_segments -> per segment una, wnd, then ACK or PUSH -> finish_input.
// A datagram goes out: flush decides -> poll_transmit writes ACKs, WASK, WINS, PUSHes in this
// order.
#include "proto/kcp/kcp.h"

#include <algorithm>
#include <utility>

#include "proto/kcp/clock.h"

namespace ginnel::kcp {
namespace {

// ikcp_update: a clock that jumped this far starts a new rhythm of flushes.
constexpr Milliseconds kClockJump{10000};

}  // namespace

Kcp::Kcp(const Config& config)
    : config_(config.clamped()),
      mtu_bytes_(config_.mtu_bytes),
      datagram_bytes_max_(mtu_bytes_),
      sender_(config_),
      receiver_(config_) {}

Result<std::size_t, SendError> Kcp::send(ConstBytes bytes) {
  flush_wanted_ = true;
  return sender_.send(bytes);
}

std::optional<std::size_t> Kcp::read(Bytes out) {
  const auto size = receiver_.read(out);
  if (!receiver_.next_size()) readable_raised_ = false;
  if (receiver_.take_reopened()) tell_wanted_ = flush_wanted_ = true;
  return size;
}

void Kcp::set_mtu(std::size_t mtu_bytes) {
  mtu_bytes_ = std::clamp(mtu_bytes, kMtuMin, kMtuMax);
  datagram_bytes_max_ = std::max(datagram_bytes_max_, mtu_bytes_);
  sender_.set_mss(mtu_bytes_ - kHeaderBytes);
}

// --- input ---

Result<void, Drop> Kcp::handle_segments(Instant now, ConstBytes datagram) {
  std::optional<Drop> first;
  const auto count_drop = [&](Drop drop) {
    ++counters_.drops[static_cast<std::size_t>(drop)];
    if (!first) first = drop;
  };
  ++counters_.datagrams;
  sender_.begin_input();
  Reader reader(datagram);
  if (datagram.size() < kHeaderBytes) count_drop(Drop::kTooShort);
  while (reader.remaining() >= kHeaderBytes) {  // ikcp_input: what is shorter is ignored
    const auto segment = parse_segment(reader);
    if (!segment || segment->conv != config_.conv) {
      count_drop(segment ? Drop::kForeignConv : segment.error());
      break;
    }
    if (const auto drop = handle_segment(now, *segment)) count_drop(*drop);
  }
  finish_input();
  if (first) return Fail(*first);
  return {};
}

std::optional<Drop> Kcp::handle_segment(Instant now, const Segment& segment) {
  if (!sender_.on_header(segment.una, segment.wnd)) return Drop::kNeverSent;
  switch (segment.cmd) {
    case Cmd::kAck:
      if (!sender_.on_ack(now, segment.sn, segment.ts)) return Drop::kNeverSent;
      break;
    case Cmd::kPush:
      return handle_push(segment);
    case Cmd::kWask:
      tell_wanted_ = true;
      break;
    case Cmd::kWins:
      break;  // its header said it all
  }
  return std::nullopt;
}

std::optional<Drop> Kcp::handle_push(const Segment& segment) {
  const auto fresh = receiver_.on_push(segment);
  if (!fresh) return fresh.error();
  if (!*fresh) ++counters_.duplicates;
  return std::nullopt;
}

void Kcp::finish_input() {
  sender_.finish_input();
  flush_wanted_ = true;  // acknowledgements, a window that moved, a loss noticed
  if (receiver_.next_size() && !readable_raised_) {
    readable_raised_ = true;
    raise(Event::kReadable);
  }
  if (receiver_.is_stuck() && !stuck_raised_) {
    stuck_raised_ = true;
    raise(Event::kStuck);
  }
  if (sender_.take_writable()) raise(Event::kWritable);
}

// --- time ---

void Kcp::handle_timeout(Instant at) {
  const Instant now = whole_milliseconds(at);
  if (config_.mode == Mode::kPrompt) return flush(now);
  // ikcp_update
  if (!flush_at_ || std::chrono::abs(now - *flush_at_) >= kClockJump) flush_at_ = now;
  if (now < *flush_at_) return;
  flush_at_ = *flush_at_ + config_.interval;
  if (now >= *flush_at_) flush_at_ = now + config_.interval;
  flush(now);
}

void Kcp::resume(Instant at) {
  sender_.resume(whole_milliseconds(at));
  flush_wanted_ = true;
}

void Kcp::flush(Instant now) {
  flush_wanted_ = false;
  receiver_.acks().make_ready(config_.mode == Mode::kPrompt);
  if (sender_.flush(now)) ask_ready_ = true;
  if (std::exchange(tell_wanted_, false)) tell_ready_ = true;
}

std::optional<Instant> Kcp::next_timeout() const {
  if (config_.mode == Mode::kPrompt) return sender_.next_timeout();
  if (!flush_at_) return Instant{0};
  return is_idle() ? std::nullopt : flush_at_;
}

bool Kcp::is_idle() const { return sender_.is_idle() && receiver_.acks().empty() && !tell_wanted_; }

// --- output ---

std::optional<Transmit> Kcp::poll_transmit(Instant at, Bytes slot) {
  const Instant now = whole_milliseconds(at);
  if (config_.mode == Mode::kPrompt && flush_wanted_) flush(now);
  Writer writer(slot);
  write_acks(writer);
  write_probes(writer);
  write_data(now, writer);
  if (sender_.take_dead_link()) raise(Event::kDeadLink);
  if (writer.size() == 0) return std::nullopt;
  return Transmit{.size = writer.size()};
}

// A segment cut for a larger mtu than today's still leaves, alone.
bool Kcp::has_room(const Writer& writer, std::size_t payload_bytes) const {
  const std::size_t bytes = kHeaderBytes + payload_bytes;
  if (bytes > writer.room()) return false;
  return writer.size() == 0 || writer.size() + bytes <= mtu_bytes_;
}

Segment Kcp::header(Cmd cmd) const {
  return {.conv = config_.conv, .cmd = cmd, .wnd = receiver_.window(), .una = receiver_.nxt()};
}

void Kcp::write_acks(Writer& writer) {
  AckList& acks = receiver_.acks();
  for (const Ack* ack = acks.next(); ack && has_room(writer, 0); ack = acks.next()) {
    Segment segment = header(Cmd::kAck);
    segment.sn = ack->sn;
    segment.ts = ack->ts;
    write_header(writer, segment, 0);
    acks.pop();
  }
}

// Deviation: the reference leaves ts and sn of its last ACK in them; they have no meaning, and ours
// are 0.
void Kcp::write_probes(Writer& writer) {
  if (ask_ready_ && has_room(writer, 0)) {
    write_header(writer, header(Cmd::kWask), 0);
    ask_ready_ = false;
  }
  if (tell_ready_ && has_room(writer, 0)) {
    write_header(writer, header(Cmd::kWins), 0);
    tell_ready_ = false;
  }
}

void Kcp::write_data(Instant now, Writer& writer) {
  while (const auto sn = sender_.next_to_send()) {
    const OutSegment& out = sender_.segment(*sn);
    if (!has_room(writer, out.size)) return;
    Segment segment = header(Cmd::kPush);
    segment.frg = out.frg;
    segment.sn = *sn;
    segment.ts = timestamp_of(now);
    write_header(writer, segment, out.size);
    sender_.copy_payload(*sn, writer.claim(out.size));
    sender_.sent(now, *sn);
  }
}

std::optional<Kcp::Event> Kcp::poll_event() {
  for (std::size_t i = 0; i < events_.size(); ++i) {
    if (std::exchange(events_[i], false)) return static_cast<Event>(i);
  }
  return std::nullopt;
}

}  // namespace ginnel::kcp
