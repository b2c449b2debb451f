// The receiving half: segments by number, in order up to rcv_nxt and with holes after it, until
// read() takes them; and the acknowledgements owed for them.
//
//   [head ... rcv_nxt)               in order, readable; at most the window
//   [rcv_nxt ... rcv_nxt + window)   out of order
//
// Bound: segments past a hole are taken while all that is held fits `receive_bytes_max`; the next
// segment in order is taken while what is readable does. So at most 2 * receive_bytes_max + one
// segment is held, and a hole can always be filled. What was acknowledged is never thrown away.
#pragma once
#include <optional>
#include <vector>

#include "proto/kcp/ack_list.h"
#include "proto/kcp/config.h"
#include "proto/kcp/sn_ring.h"

namespace ginnel::kcp {

class Receiver {
 public:
  // `config` is clamped.
  explicit Receiver(const Config& config);

  // True: new data; false: a duplicate, acknowledged again.
  Result<bool, Drop> on_push(const Segment& segment);

  // Message: size of the next whole one; stream: bytes readable. nullopt: nothing to read.
  std::optional<std::size_t> next_size() const;
  // Message: one of them, nullopt also if it does not fit `out`. Stream: as much as fits.
  std::optional<std::size_t> read(Bytes out);
  // The message at the head can never be read: all that may be held is held, and it is not whole.
  bool is_stuck() const;

  Sn nxt() const { return nxt_; }
  std::uint16_t window() const;  // what may still come, as the wnd field says it
  AckList& acks() { return acks_; }
  const AckList& acks() const { return acks_; }
  std::size_t held_bytes() const { return held_bytes_; }
  std::uint32_t readable_segments() const { return static_cast<std::uint32_t>(nxt_ - head_); }
  // Once: the window was zero and is not any more (IKCP_ASK_TELL).
  bool take_reopened();

 private:
  struct InSegment {
    bool present = false;
    std::uint8_t frg = 0;
    ByteVector payload;
  };
  bool has_room_for(const Segment& segment) const;
  void store(const Segment& segment);
  void move_in_order();
  void skip_empty();
  void release_head();
  std::size_t read_stream(Bytes out);
  std::size_t read_message(Bytes out);

  const bool stream_;
  const std::uint32_t window_max_;
  const std::size_t bytes_max_;
  SnRing<InSegment> segments_;
  AckList acks_;
  Sn head_;
  Sn nxt_;                          // head_ <= nxt_ <= head_ + window_max_
  std::size_t head_read_ = 0;       // bytes of the head segment that were read (stream)
  std::size_t held_bytes_ = 0;      // of all segments present
  std::size_t in_order_bytes_ = 0;  // of those before nxt_
  std::size_t segment_bytes_max_;   // the largest payload seen: what one segment of window costs
  bool reopened_ = false;
  std::vector<ByteVector> spare_;  // buffers of segments that were read, used again
};

}  // namespace ginnel::kcp
