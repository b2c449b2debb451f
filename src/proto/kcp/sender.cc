#include "proto/kcp/sender.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "proto/kcp/clock.h"

namespace ginnel::kcp {
namespace {

// The window a peer is believed to have until its first segment (ikcp.c: IKCP_WND_RCV).
constexpr std::uint32_t kRemoteWindowInitial = 128;
// Segments may be short; without this limit a megabyte of single bytes would be a million of them.
// At the limit send() takes nothing more, as when the bytes are full.
constexpr std::size_t kQueuedSegmentsMin = 256;
// An older echo is nonsense: no segment waits longer for its next transmission.
constexpr Milliseconds kRttMax = kRtoMax;

std::size_t segments_for(std::size_t bytes, std::size_t mss) {
  return std::max<std::size_t>(1, (bytes + mss - 1) / mss);
}

}  // namespace

Sender::Sender(const Config& config)
    : config_(config),
      mss_(config.mtu_bytes - kHeaderBytes),
      segments_max_(config.send_window_segments +
                    std::max<std::size_t>(config.send_window_segments, kQueuedSegmentsMin)),
      bytes_(config.send_bytes_max),
      fast_(segments_, config),
      rtt_(config),
      probe_(config),
      una_(config.first_sn),
      unsent_(config.first_sn),
      nxt_(config.first_sn),
      end_(config.first_sn),
      remote_window_(kRemoteWindowInitial),
      una_seen_(config.first_sn) {}

// --- send ---

Result<std::size_t, SendError> Sender::send(ConstBytes bytes) {
  if (config_.framing == Framing::kStream) return append_stream(bytes);
  if (bytes.size() > message_bytes_max()) return Fail(SendError::kTooLarge);
  const std::size_t count = segments_for(bytes.size(), mss_);
  if (bytes.size() > bytes_.room() || !has_segment_room(count)) {
    want_room(bytes.size(), count);
    return Fail(SendError::kNoRoom);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const ConstBytes fragment =
        bytes.subspan(i * mss_).first(std::min(mss_, bytes.size() - i * mss_));
    append_segment(fragment, count - i - 1);
  }
  return bytes.size();
}

std::size_t Sender::message_bytes_max() const {
  return std::min(kFragmentsMax * mss_, bytes_.bytes_max());
}

std::size_t Sender::append_stream(ConstBytes bytes) {
  ConstBytes rest = bytes.first(std::min(bytes.size(), bytes_.room()));
  const std::size_t fitting = rest.size();
  top_up_last(rest);
  while (!rest.empty() && has_segment_room(1)) {
    const ConstBytes piece = rest.first(std::min(mss_, rest.size()));
    append_segment(piece, 0);
    rest = rest.subspan(piece.size());
  }
  const std::size_t taken = fitting - rest.size();
  if (taken < bytes.size()) want_room(0, 1);
  return taken;
}

// ikcp_send: in stream mode the last queued segment is filled up first.
void Sender::top_up_last(ConstBytes& bytes) {
  if (end_ == nxt_) return;
  OutSegment& last = segments_.at(end_ + 0xffffffff);
  if (last.size >= mss_) return;
  const ConstBytes more = bytes.first(std::min(bytes.size(), mss_ - last.size));
  bytes_.append(more);
  last.size += static_cast<std::uint32_t>(more.size());
  bytes = bytes.subspan(more.size());
}

void Sender::append_segment(ConstBytes bytes, std::size_t frg) {
  segments_.reserve(una_, static_cast<std::size_t>(end_ - una_) + 1);
  OutSegment segment;
  segment.offset = bytes_.end();
  segment.size = static_cast<std::uint32_t>(bytes.size());
  segment.frg = static_cast<std::uint8_t>(frg);
  segments_.at(end_) = segment;
  bytes_.append(bytes);
  ++end_;
}

bool Sender::has_segment_room(std::size_t count) const {
  return static_cast<std::size_t>(end_ - una_) + count <= segments_max_;
}

// A quarter of the buffer at least: waking the writer for every segment would cost more than the
// segment.
void Sender::want_room(std::size_t bytes, std::size_t segments) {
  wanted_ = Room{std::max(bytes, bytes_.bytes_max() / 4), std::max(segments, segments_max_ / 4)};
}

bool Sender::take_writable() {
  if (!wanted_ || bytes_.room() < wanted_->bytes) return false;
  if (!has_segment_room(wanted_->segments)) return false;
  wanted_.reset();
  return true;
}

bool Sender::take_dead_link() { return std::exchange(dead_link_, false); }

// --- input ---

void Sender::begin_input() {
  una_before_ = una_;
  newest_ack_.reset();
}

bool Sender::on_header(Sn una, std::uint16_t wnd) {
  // As distances from una_: numbers half the range apart have no order (RFC 1982 section 3.2), and
  // a una out there must not start a walk.
  const bool sent_before = una_ - una > 0;
  const bool in_flight = una.value() - una_.value() <= unsent_.value() - una_.value();
  if (!sent_before && !in_flight) return false;
  // Deviation (prompt): the reference takes wnd from every segment, late ones included, and a late
  // zero then costs a probe's wait.
  const bool stale = una < una_seen_;
  if (!stale || config_.mode == Mode::kCompatible) remote_window_ = wnd;
  if (!stale) una_seen_ = una;
  while (in_flight && una_ != una) release_front();
  release_acknowledged();
  return true;
}

bool Sender::on_ack(Instant now, Sn sn, Timestamp ts) {
  if (sn >= unsent_) return false;
  const Milliseconds rtt{timestamp_of(now) - ts};
  if (rtt >= Milliseconds(0) && rtt <= kRttMax) rtt_.sample(rtt);
  if (sn >= una_) acknowledge(sn);
  release_acknowledged();
  // ikcp_input, FASTACK_CONSERVE: a later ACK of the datagram counts only with a larger ts too.
  const bool newer = !newest_ack_ || (sn > newest_ack_->sn &&
                                      (config_.mode == Mode::kPrompt || ts > newest_ack_->ts));
  if (newer) newest_ack_ = NewestAck{sn, ts};
  return true;
}

void Sender::finish_input() {
  if (newest_ack_) fast_.pass(newest_ack_->sn, newest_ack_->ts);
  if (una_ == una_before_) return;
  congestion_.on_progress(remote_window_, static_cast<std::uint32_t>(mss_));
}

void Sender::acknowledge(Sn sn) {
  OutSegment& segment = segments_.at(sn);
  if (segment.acked) return;
  segment.acked = true;
  segment.due = false;
  heap_.remove(sn);
  fast_.forget(sn);
}

// ikcp_shrink_buf: una moves over what its own ACK named before.
void Sender::release_acknowledged() {
  while (una_ != unsent_ && segments_.at(una_).acked) release_front();
}

void Sender::release_front() {
  ++steps_;
  acknowledge(una_);
  const OutSegment& segment = segments_.at(una_);
  bytes_.drop_until(segment.offset + segment.size);
  ++una_;
}

// --- flush ---

bool Sender::flush(Instant now) {
  // The reference opens its congestion window at the end of the first flush, which therefore sends
  // nothing; a prompt sender has no other flush to wait for.
  if (config_.mode == Mode::kPrompt) congestion_.open(static_cast<std::uint32_t>(mss_));
  const bool asks = config_.mode == Mode::kCompatible || una_ != end_;
  const bool probe = probe_.flush(now, remote_window_ == 0 && asks);
  const Sn limit = una_ + window();
  if (nxt_ < limit) nxt_ = end_ < limit ? end_ : limit;
  collect_due(now);
  congestion_.open(static_cast<std::uint32_t>(mss_));
  return probe;
}

std::uint32_t Sender::window() const {
  const std::uint32_t window = std::min(config_.send_window_segments, remote_window_);
  return config_.congestion_window ? std::min(window, congestion_.cwnd()) : window;
}

// The reference asks each segment in turn: timeout first, then later ACKs, in the order of sn.
void Sender::collect_due(Instant now) {
  due_.erase(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(due_next_));
  due_next_ = 0;
  const std::uint64_t timeouts = counters_.timeouts;
  while (const auto sn = heap_.take_expired(now)) {
    back_off(segments_.at(*sn));
    segments_.at(*sn).due = true;
    due_.push_back(*sn);
    ++counters_.timeouts;
  }
  const std::uint64_t fast_resends = counters_.fast_resends;
  fast_.take_pending([this](Sn sn) {
    heap_.remove(sn);
    segments_.at(sn).due = true;
    due_.push_back(sn);
    ++counters_.fast_resends;
  });
  std::ranges::sort(due_, [](Sn a, Sn b) { return a < b; });
  const auto mss = static_cast<std::uint32_t>(mss_);
  if (counters_.fast_resends != fast_resends) {
    congestion_.on_fast_resend(static_cast<std::uint32_t>(nxt_ - una_), config_.fast_resend, mss);
  }
  if (counters_.timeouts != timeouts) congestion_.on_timeout(mss);
}

void Sender::back_off(OutSegment& segment) const {
  const Milliseconds base = rtt_.rto();
  switch (config_.backoff) {
    case Backoff::kDouble:
      segment.rto += std::max(segment.rto, base);
      break;
    case Backoff::kHalf:
      segment.rto += segment.rto / 2;
      break;
    case Backoff::kHalfOfBase:
      segment.rto += base / 2;
      break;
  }
  // Deviation: the reference has no limit here, and a link that comes back waits for minutes.
  segment.rto = std::min(segment.rto, kRtoMax);
}

void Sender::resume(Instant now) {
  for (Sn sn = una_; sn != unsent_; ++sn) {
    OutSegment& segment = segments_.at(sn);
    if (segment.acked || segment.due || segment.rto <= rtt_.rto()) continue;
    heap_.remove(sn);
    segment.rto = rtt_.rto();
    heap_.push(sn, now);
  }
}

// --- transmit ---

std::optional<Sn> Sender::next_to_send() {
  for (; due_next_ < due_.size(); ++due_next_) {
    const Sn sn = due_[due_next_];
    if (sn >= una_ && segments_.at(sn).due) return sn;
  }
  return unsent_ < nxt_ ? std::optional(unsent_) : std::nullopt;
}

void Sender::sent(Instant now, Sn sn) {
  OutSegment& segment = segments_.at(sn);
  Milliseconds slack{0};
  if (sn == unsent_) {
    ++unsent_;
    segment.rto = rtt_.rto();
    if (config_.backoff == Backoff::kDouble) slack = segment.rto / 8;
  }
  segment.due = false;
  segment.ts = timestamp_of(now);
  ++segment.xmit;
  ++counters_.sent;
  heap_.push(sn, now + (segment.rto + slack));
  fast_.sent(sn);
  if (segment.xmit < config_.dead_link || dead_link_reported_) return;
  dead_link_ = dead_link_reported_ = true;
}

}  // namespace ginnel::kcp
