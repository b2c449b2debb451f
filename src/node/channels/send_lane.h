// Our end of a lane that we own: messages in, KCP segments out (docs/wire/ginnel.md section 9).
//
// What does not fit KCP's buffer waits here; both together are the channel's window. A message is
// kept whole until its last byte has arrived, so that it can be given back to who sent it: what KCP
// holds is held twice, which is why its buffer is small (kKcpBufferBytes).
#pragma once
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "node/channels/budget.h"
#include "proto/control/lane.h"
#include "proto/kcp/kcp.h"

namespace ginnel::node {

// Bytes per channel that are accepted and not yet known to have arrived.
inline constexpr std::size_t kChannelWindowBytes = std::size_t{1} << 20;
// Of a lane's KCP packet: so large that frame, session and relay header fit the smallest path
// (1280 bytes - IPv6 40 - UDP 8 - relay 16 - WireGuard 32 - frame header 3 - epochs 4), and
// WireGuard's padding to 16 bytes too.
inline constexpr std::size_t kLanePacketBytes = 1160;

// Of KCP's own buffer: a full send window of 256 segments and as much again.
inline constexpr std::size_t kKcpBufferBytes = std::size_t{512} << 10;

kcp::Config lane_config(std::uint32_t lane);

using LaneKind = control::LaneOpen::Kind;
// What one lane carries.
struct LaneKey {
  LaneKind kind = LaneKind::kMessages;
  std::string channel;
  friend auto operator<=>(const LaneKey&, const LaneKey&) = default;
};

// A message that is not known to have arrived.
struct Unarrived {
  std::uint64_t id = 0;
  ByteVector data;
  bool sent = false;  // at least in part: it may have arrived
};

class SendLane {
 public:
  // `opening`: what the lane begins with, before any message; no message, so it costs no budget.
  SendLane(std::uint32_t number, LaneKey key, ConstBytes opening, Budget& budget);
  ~SendLane() { budget_.release_send(charged_); }
  SendLane(const SendLane&) = delete;
  SendLane& operator=(const SendLane&) = delete;

  std::uint32_t number() const { return number_; }
  const LaneKey& key() const { return key_; }
  kcp::Kcp& kcp() { return kcp_; }
  const kcp::Kcp& kcp() const { return kcp_; }

  // One message of any allowed size may enter an empty lane; else all must fit the window.
  bool has_room(std::size_t bytes) const;
  // False: the node's budget is used up; nothing was taken.
  bool push(std::uint64_t id, ConstBytes header, ConstBytes data);
  // Moves backlog into KCP and gives back the budget of what has arrived.
  void pump();

  // Of messages, their headers included; accepted and not known to have arrived.
  std::size_t outstanding() const { return charged_; }
  // The owner was told that there is no room for so many bytes; take_writable() says once when
  // there is.
  void note_blocked(std::size_t bytes) { blocked_ = std::min(blocked_.value_or(bytes), bytes); }
  bool take_writable();
  bool is_blocked() const { return blocked_.has_value(); }
  // What has not arrived, in the order of sending. The lane is of no use after that.
  std::vector<Unarrived> give_back();

 private:
  struct Queued {
    std::uint64_t id = 0;
    std::size_t header_bytes = 0;
    std::uint64_t begin = 0;  // of the stream's bytes
    ByteVector bytes;
    std::uint64_t end() const { return begin + bytes.size(); }
  };
  void feed_kcp();

  const std::uint32_t number_;
  const LaneKey key_;
  Budget& budget_;
  kcp::Kcp kcp_;
  std::deque<Queued> queued_;  // not known to have arrived, at least their last byte
  std::size_t next_ = 0;       // of queued_: the first one that KCP does not have whole
  std::uint64_t given_;        // bytes of the stream that KCP took; opening included
  std::uint64_t accepted_;     // bytes of the stream; given_ <= accepted_
  std::size_t charged_ = 0;             // not arrived, as of the last pump
  std::optional<std::size_t> blocked_;  // the smallest message that found no room
};

}  // namespace ginnel::node
