#include "proto/kcp/receiver.h"

#include <algorithm>
#include <utility>

namespace ginnel::kcp {
namespace {

// More than this is given back to the allocator: an idle conversation holds little.
constexpr std::size_t kSpareBuffersMax = 64;
// Room for a full window of first arrivals and as many duplicates between two flushes.
constexpr std::size_t kAcksMin = 256;

std::size_t acks_max(const Config& config) {
  return std::max<std::size_t>(kAcksMin, 2 * config.receive_window_segments);
}

}  // namespace

Receiver::Receiver(const Config& config)
    : stream_(config.framing == Framing::kStream),
      window_max_(config.receive_window_segments),
      bytes_max_(config.receive_bytes_max),
      acks_(acks_max(config)),
      head_(config.first_sn),
      nxt_(config.first_sn),
      segment_bytes_max_(config.mtu_bytes - kHeaderBytes) {}

Result<bool, Drop> Receiver::on_push(const Segment& segment) {
  if (segment.sn >= nxt_ + window_max_) return Fail(Drop::kOutOfWindow);
  // ikcp_recv waits for frg + 1 segments in a queue that holds no more than the window.
  if (!stream_ && segment.frg >= window_max_) return Fail(Drop::kTooManyFragments);
  const bool known =
      segment.sn < nxt_ || (segment.sn - head_ < static_cast<std::int64_t>(segments_.capacity()) &&
                            segments_.at(segment.sn).present);
  if (!known && !has_room_for(segment)) return Fail(Drop::kNoRoom);
  acks_.push({segment.sn, segment.ts});
  if (known) return false;
  store(segment);
  move_in_order();
  skip_empty();
  return true;
}

bool Receiver::has_room_for(const Segment& segment) const {
  if (segment.sn == nxt_) return in_order_bytes_ < bytes_max_;
  return held_bytes_ + segment.payload.size() <= bytes_max_;
}

void Receiver::store(const Segment& segment) {
  segments_.reserve(head_, static_cast<std::size_t>(segment.sn - head_) + 1);
  InSegment& slot = segments_.at(segment.sn);
  if (!spare_.empty()) {
    slot.payload = std::move(spare_.back());
    spare_.pop_back();
  }
  slot.payload.assign(segment.payload.begin(), segment.payload.end());
  slot.frg = segment.frg;
  slot.present = true;
  held_bytes_ += segment.payload.size();
  segment_bytes_max_ = std::max(segment_bytes_max_, segment.payload.size());
}

void Receiver::move_in_order() {
  while (readable_segments() < window_max_) {
    if (static_cast<std::size_t>(readable_segments()) >= segments_.capacity()) break;
    const InSegment& next = segments_.at(nxt_);
    if (!next.present) break;
    in_order_bytes_ += next.payload.size();
    ++nxt_;
  }
}

// A stream has no empty messages, and nobody would read one away.
void Receiver::skip_empty() {
  if (!stream_) return;
  while (head_ != nxt_ && segments_.at(head_).payload.empty()) {
    release_head();
    move_in_order();
  }
}

std::optional<std::size_t> Receiver::next_size() const {
  if (head_ == nxt_) return std::nullopt;
  if (stream_) return in_order_bytes_ - head_read_;
  const std::uint32_t count = segments_.at(head_).frg + 1u;
  if (readable_segments() < count) return std::nullopt;
  std::size_t size = 0;
  for (Sn sn = head_; sn != nxt_; ++sn) {  // ikcp_peeksize: up to frg 0, whatever the first said
    size += segments_.at(sn).payload.size();
    if (segments_.at(sn).frg == 0) break;
  }
  return size;
}

std::optional<std::size_t> Receiver::read(Bytes out) {
  const auto size = next_size();
  if (!size || (!stream_ && *size > out.size())) return std::nullopt;
  const bool was_closed = window() == 0;
  const std::size_t done = stream_ ? read_stream(out) : read_message(out);
  move_in_order();
  skip_empty();
  if (was_closed && window() > 0) reopened_ = true;
  return done;
}

std::size_t Receiver::read_stream(Bytes out) {
  std::size_t done = 0;
  while (head_ != nxt_ && done < out.size()) {
    const ConstBytes rest = ConstBytes(segments_.at(head_).payload).subspan(head_read_);
    const std::size_t part = std::min(rest.size(), out.size() - done);
    std::ranges::copy(rest.first(part), out.begin() + static_cast<std::ptrdiff_t>(done));
    done += part;
    head_read_ += part;
    if (part == rest.size()) release_head();
  }
  return done;
}

std::size_t Receiver::read_message(Bytes out) {
  std::size_t done = 0;
  for (bool last = false; !last && head_ != nxt_;) {
    const InSegment& segment = segments_.at(head_);
    std::ranges::copy(segment.payload, out.begin() + static_cast<std::ptrdiff_t>(done));
    done += segment.payload.size();
    last = segment.frg == 0;
    release_head();
  }
  return done;
}

void Receiver::release_head() {
  InSegment& slot = segments_.at(head_);
  held_bytes_ -= slot.payload.size();
  in_order_bytes_ -= slot.payload.size();
  slot.present = false;
  if (spare_.size() < kSpareBuffersMax) spare_.push_back(std::move(slot.payload));
  slot.payload = ByteVector();
  head_read_ = 0;
  ++head_;
}

bool Receiver::is_stuck() const {
  const bool has_holes = held_bytes_ != in_order_bytes_;
  return !stream_ && !has_holes && window() == 0 && !next_size();
}

// The peer counts the window from una, so segments past a hole are inside it, not taken off it.
std::uint16_t Receiver::window() const {
  const std::size_t segments = window_max_ - readable_segments();
  const std::size_t bytes = in_order_bytes_ < bytes_max_ ? bytes_max_ - in_order_bytes_ : 0;
  return static_cast<std::uint16_t>(std::min(segments, bytes / segment_bytes_max_));
}

bool Receiver::take_reopened() { return std::exchange(reopened_, false); }

}  // namespace ginnel::kcp
