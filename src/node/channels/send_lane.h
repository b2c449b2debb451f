// Our end of a lane that we own: messages in, KCP segments out (docs/wire/ginnel.md section 9).
//
// What does not fit KCP's buffer waits in the backlog; both together are the channel's window.
#pragma once
#include <deque>
#include <optional>
#include <string>

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

kcp::Config lane_config(std::uint32_t lane);

class SendLane {
 public:
  // `opening`: what the lane begins with, before any message; no message, so it costs no budget.
  SendLane(std::uint32_t number, std::string channel, ConstBytes opening, Budget& budget);
  ~SendLane() { budget_.release_send(charged_); }
  SendLane(const SendLane&) = delete;
  SendLane& operator=(const SendLane&) = delete;

  std::uint32_t number() const { return number_; }
  const std::string& channel() const { return channel_; }
  kcp::Kcp& kcp() { return kcp_; }
  const kcp::Kcp& kcp() const { return kcp_; }

  // One message of any allowed size may enter an empty lane; else all must fit the window.
  bool has_room(std::size_t bytes) const;
  // False: the node's budget is used up; nothing was taken.
  bool push(ConstBytes header, ConstBytes data);
  // Moves backlog into KCP and gives back the budget of what has arrived.
  void pump();

  // Of messages, their headers included; accepted and not known to have arrived.
  std::size_t outstanding() const { return charged_; }
  // The owner was told that there is no room for so many bytes; take_writable() says once when
  // there is.
  void note_blocked(std::size_t bytes) { blocked_ = std::min(blocked_.value_or(bytes), bytes); }
  bool take_writable();
  bool is_blocked() const { return blocked_.has_value(); }

 private:
  const std::uint32_t number_;
  const std::string channel_;
  Budget& budget_;
  kcp::Kcp kcp_;
  std::deque<ByteVector> backlog_;
  std::size_t front_taken_ = 0;         // bytes of backlog_.front() that KCP has
  std::size_t backlog_bytes_ = 0;       // not in KCP yet
  std::size_t charged_ = 0;             // as of the last pump
  std::optional<std::size_t> blocked_;  // the smallest message that found no room
};

}  // namespace ginnel::node
