// The sending half: what send() took, cut into segments, from the queue over the window to the
// acknowledgement.
//
//   [una ... unsent)      sent at least once
//   [unsent ... snd_nxt)  let into the window by a flush, not polled yet
//   [snd_nxt ... end)     queued: waits for the window
//
// Deciding (flush) and sending (sent) are two steps: what a full socket holds back gets its ts, its
// deadline and its xmit when it really leaves.
#pragma once
#include <optional>
#include <vector>

#include "base/timers.h"
#include "proto/kcp/byte_ring.h"
#include "proto/kcp/congestion.h"
#include "proto/kcp/fast_ack.h"
#include "proto/kcp/rto_heap.h"
#include "proto/kcp/rtt_estimator.h"
#include "proto/kcp/window_probe.h"

namespace ginnel::kcp {

enum class SendError {
  kNoRoom,    // nothing was taken; kWritable follows when it fits
  kTooLarge,  // longer than message_bytes_max(); it will never fit
};

struct SenderCounters {
  std::uint64_t sent = 0;          // transmissions of PUSH segments
  std::uint64_t timeouts = 0;      // resends because the rto passed
  std::uint64_t fast_resends = 0;  // resends because later segments were acknowledged
};

class Sender {
 public:
  // `config` is clamped.
  explicit Sender(const Config& config);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Stream: takes what fits and says how much. Message: all or nothing.
  Result<std::size_t, SendError> send(ConstBytes bytes);
  std::size_t message_bytes_max() const;
  void set_mss(std::size_t mss) { mss_ = mss; }

  // One datagram: begin, then per segment on_header and perhaps on_ack, then finish.
  void begin_input();
  // False: una was never sent; the segment is not to be believed.
  bool on_header(Sn una, std::uint16_t wnd);
  bool on_ack(Instant now, Sn sn, Timestamp ts);
  void finish_input();

  // Decides what is to be sent now. True: the peer is to be asked for its window.
  bool flush(Instant now);
  // What to send next, in the order of sn; nullopt: nothing (more).
  std::optional<Sn> next_to_send();
  const OutSegment& segment(Sn sn) const { return segments_.at(sn); }
  void copy_payload(Sn sn, Bytes out) const { bytes_.copy(segments_.at(sn).offset, out); }
  // The segment that next_to_send() named leaves now.
  void sent(Instant now, Sn sn);

  // What has timed out is due now, and waits no longer than a new segment for the next time.
  void resume(Instant now);

  std::optional<Instant> next_timeout() const { return earlier(heap_.next(), probe_.next()); }
  // A flush would have something to do now, or may have once time has passed.
  bool is_idle() const { return una_ == end_ && remote_window_ > 0; }
  bool take_writable();   // once: there is room again
  bool take_dead_link();  // once: some segment was sent `dead_link` times

  Sn una() const { return una_; }
  Sn nxt() const { return nxt_; }
  std::uint32_t queued_segments() const { return static_cast<std::uint32_t>(end_ - nxt_); }
  std::uint32_t remote_window() const { return remote_window_; }
  std::size_t bytes() const { return bytes_.size(); }  // taken, not known to have arrived
  // Taken and never transmitted.
  std::size_t unsent_bytes() const {
    if (unsent_ == end_) return 0;
    return static_cast<std::size_t>(bytes_.end() - segments_.at(unsent_).offset);
  }
  std::size_t room() const { return bytes_.room(); }
  const RttEstimator& rtt() const { return rtt_; }
  const Congestion& congestion() const { return congestion_; }
  const SenderCounters& counters() const { return counters_; }
  std::uint64_t steps() const { return heap_.steps() + fast_.steps() + steps_; }

 private:
  std::size_t append_stream(ConstBytes bytes);
  void top_up_last(ConstBytes& bytes);
  void append_segment(ConstBytes bytes, std::size_t frg);
  bool has_segment_room(std::size_t count) const;
  void want_room(std::size_t bytes, std::size_t segments);
  void acknowledge(Sn sn);
  void release_acknowledged();
  void release_front();
  std::uint32_t window() const;
  void collect_due(Instant now);
  void back_off(OutSegment& segment) const;

  const Config config_;
  std::size_t mss_;
  std::size_t segments_max_;  // of [una, end)
  OutSegments segments_;
  ByteRing bytes_;
  RtoHeap heap_{segments_};
  FastAck fast_;
  RttEstimator rtt_;
  Congestion congestion_;
  WindowProbe probe_;

  Sn una_;
  Sn unsent_;
  Sn nxt_;
  Sn end_;               // una_ <= unsent_ <= nxt_ <= end_ <= una_ + segments_max_
  std::vector<Sn> due_;  // to be sent again, by sn; names that were acknowledged since are skipped
  std::size_t due_next_ = 0;

  std::uint32_t remote_window_;
  Sn una_seen_;  // the newest una the peer wrote; older ones come with an older wnd

  // Of the datagram in hand.
  Sn una_before_;
  struct NewestAck {
    Sn sn;
    Timestamp ts;
  };
  std::optional<NewestAck> newest_ack_;

  struct Room {
    std::size_t bytes = 0;
    std::size_t segments = 0;
  };
  std::optional<Room> wanted_;  // set when send() had to refuse something
  bool dead_link_reported_ = false;
  bool dead_link_ = false;
  SenderCounters counters_;
  std::uint64_t steps_ = 0;
};

}  // namespace ginnel::kcp
