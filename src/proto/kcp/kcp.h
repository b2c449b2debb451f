// KCP: a reliable stream or messages over datagrams that get lost, wire-compatible with
// skywind3000/kcp and the core of kcp-go.
//
//   Kcp kcp({.conv = Conv(7)});
//   kcp.send(bytes);                          // then drain(): sends
//   kcp.handle_segments(now, datagram);       // then drain(), and read() on kReadable
//   kcp.read(out);                            // then drain(): a window that opened is told
//
// Mode kPrompt, between our nodes: what send() or an input made sendable leaves with the next
// poll_transmit. Mode kCompatible, the C reference's behaviour: it leaves at the next flush, once
// per interval, in handle_timeout.
//
// The wire has no handshake and no end: opening, closing and telling old conversations from new
// ones is the owner's. It authenticates nothing either: inside a session, or on a trusted link.
//
// Not thread-safe. Buffers grow to what is in use, within the limits of Config; after that only
// segments that wait for more than 64 others allocate.
#pragma once
#include <array>
#include <optional>

#include "base/core.h"
#include "proto/kcp/receiver.h"
#include "proto/kcp/sender.h"

namespace ginnel::kcp {

class Kcp {
 public:
  enum class Event {
    kReadable,  // read() has something again; not repeated until it was read empty
    kWritable,  // send() refused something before, and has room again
    kDeadLink,  // a segment was sent `dead_link` times; once. Sending goes on: the owner decides
    kStuck,     // the peer's message can never be whole: it is larger than the window; once
  };
  struct Counters {
    std::uint64_t datagrams = 0;
    std::uint64_t duplicates = 0;  // PUSH segments that were there already
    std::array<std::uint64_t, static_cast<std::size_t>(Drop::kCount)> drops{};
  };

  explicit Kcp(const Config& config);

  // Stream: takes what fits and returns how much, 0 to all of it; kWritable follows if it was not
  // all. Message: takes it whole, or fails and has changed nothing.
  Result<std::size_t, SendError> send(ConstBytes bytes);
  // Stream: 1 to out.size() bytes. Message: one of them, of next_size() bytes.
  // nullopt: nothing to read, or the message does not fit `out` and stays.
  std::optional<std::size_t> read(Bytes out);
  std::optional<std::size_t> next_size() const { return receiver_.next_size(); }
  std::size_t message_bytes_max() const { return sender_.message_bytes_max(); }

  // For segments cut from now on; those cut before keep their size, in datagrams of their own if
  // need be (see datagram_bytes_max).
  void set_mtu(std::size_t mtu_bytes);

  // All segments of one datagram. A Drop is the first thing that was wrong with it; what stood
  // before, and after it where the Drop says so, was used.
  Result<void, Drop> handle_segments(Instant now, ConstBytes datagram);
  void handle_timeout(Instant now);
  // The owner knows that a way that was cut is open again: what timed out is sent again by the next
  // flush, instead of after a wait that has grown with the cut.
  void resume(Instant now);

  // One datagram of at most the mtu. `slot` holds datagram_bytes_max() or more, or what needs more
  // waits. Only `size` of the result is set: which way it goes is the owner's.
  std::optional<Transmit> poll_transmit(Instant now, Bytes slot);
  std::optional<Event> poll_event();

  // Compatible: Instant{0}, at once, until the first handle_timeout. nullopt: nothing is under way.
  std::optional<Instant> next_timeout() const;

  Conv conv() const { return config_.conv; }
  std::size_t mtu_bytes() const { return mtu_bytes_; }
  std::size_t datagram_bytes_max() const { return datagram_bytes_max_; }
  const Sender& sender() const { return sender_; }
  const Receiver& receiver() const { return receiver_; }
  const Counters& counters() const { return counters_; }

 private:
  std::optional<Drop> handle_segment(Instant now, const Segment& segment);
  std::optional<Drop> handle_push(const Segment& segment);
  void finish_input();
  void flush(Instant now);
  bool is_idle() const;
  bool has_room(const Writer& writer, std::size_t payload_bytes) const;
  Segment header(Cmd cmd) const;
  void write_acks(Writer& writer);
  void write_probes(Writer& writer);
  void write_data(Instant now, Writer& writer);
  void raise(Event event) { events_[static_cast<std::size_t>(event)] = true; }

  const Config config_;
  std::size_t mtu_bytes_;
  std::size_t datagram_bytes_max_;  // the largest mtu so far: old segments may need it
  Sender sender_;
  Receiver receiver_;

  std::optional<Instant> flush_at_;  // compatible: set by the first handle_timeout, never unset
  bool flush_wanted_ = false;        // prompt: something changed since the last flush
  bool tell_wanted_ = false;      // the peer asked, or our window opened; from the next flush on:
  bool ask_ready_ = false;        // a WASK leaves
  bool tell_ready_ = false;       // a WINS leaves
  bool readable_raised_ = false;  // until read() leaves nothing
  bool stuck_raised_ = false;
  std::array<bool, 4> events_{};  // by Event
  Counters counters_;
};

static_assert(TimedCore<Kcp>);

}  // namespace ginnel::kcp
