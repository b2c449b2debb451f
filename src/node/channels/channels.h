// All channels between us and one other node, for one run (epoch) of each: lanes of KCP that share
// the session (docs/wire/ginnel.md section 9).
//
//   Channels channels({.own_epoch = …, .peer_epoch = …}, budget);
//   channels.send("chat", 0, bytes);                         // then poll_frame() has output
//   channels.handle_kcp(now, FrameType::kKcp, body);
//   while (auto event = channels.poll_event()) ...           // MessageArrived: take("chat")
//
// Every (sender, channel) is one lane, owned by its sender; lane 0 carries control messages,
// outside the budget: acknowledgements are what frees it. Pure; memory is bounded by the window per
// channel and by the node's Budget.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <variant>

#include "node/channels/receive_lane.h"
#include "node/channels/send_lane.h"
#include "proto/control/frame.h"

namespace ginnel::node {

// Lanes each way, the control lane not counted; what would open one more is refused.
inline constexpr std::size_t kLanesMax = 64;
// Cancelled messages that have not come to the head yet; past it the lowest id is forgotten, and
// its message delivered late.
inline constexpr std::size_t kCancelledMax = 1024;
// Of lane 0; a hub that would exceed it sends a snapshot later instead.
inline constexpr std::size_t kControlWindowBytes = std::size_t{1} << 20;
// Beyond it, for acknowledgements alone: a table under way does not cost one. Past both one is
// lost, and its message fails at its deadline; a sender has at most 4096 under way.
inline constexpr std::size_t kAcknowledgementBytes = std::size_t{256} << 10;

struct MessageArrived {
  std::string channel;
};
struct WritableAgain {
  std::string channel;
};
struct ControlArrived {
  control::ControlType type{};
  ByteVector body;
};

struct Arrived {
  std::uint64_t id = 0;  // 0: no acknowledgement wanted
  ByteVector data;
};

class Channels {
 public:
  using Event = std::variant<MessageArrived, WritableAgain, ControlArrived>;
  struct Options {
    std::uint64_t own_epoch = 0;
    std::uint64_t peer_epoch = 0;
  };
  enum class SendError : std::uint8_t {
    kWouldBlock,  // no room now; WritableAgain follows
    kTooLarge,    // above control::kMessageBytesMax; it never fits
    kBadChannel,  // the name is empty or longer than 64 bytes
    kTooManyLanes,
  };
  enum class Drop : std::uint8_t {
    kMalformed,   // no KCP packet
    kOtherEpoch,  // of an earlier run of either side
    kTooManyLanes,
    kUnknownLane,  // an acknowledgement for a lane that we do not own
    kRefused,      // KCP found it wrong
  };

  // `budget` outlives the channels.
  Channels(const Options& options, Budget& budget);

  // All or nothing. `id`: unique, or 0.
  Result<void, SendError> send(std::string_view channel, std::uint64_t id, ConstBytes data);
  // False: lane 0 is full; nothing was taken.
  bool send_control(control::ControlType type, ConstBytes body);

  // The body of a KCP or KCP_BACK frame.
  Result<void, Drop> handle_kcp(Instant now, control::FrameType type, ConstBytes body);
  void handle_timeout(Instant now);
  // The peer is heard again after a silence: what timed out meanwhile is sent at once.
  void resume(Instant now);
  // The budget has room that it had not: lanes that waited for it go on.
  void handle_budget_freed();
  std::optional<Instant> next_timeout() const;
  // Writes one frame, header included, into `room`. 0: nothing to send, or it does not fit.
  std::size_t poll_frame(Instant now, Bytes room);
  std::optional<Event> poll_event();

  // The message at the head of a channel, if one is whole.
  bool has_message(std::string_view channel) const;
  std::optional<Arrived> take(std::string_view channel);
  // The channels with a message at their head.
  std::set<std::string> waiting() const;
  // Its id, without taking it.
  std::optional<std::uint64_t> peek(std::string_view channel) const;
  // The sender gave up on this message: it is dropped when it comes to the head of its channel.
  void cancel(std::uint64_t id);

  std::uint64_t peer_epoch() const { return options_.peer_epoch; }
  // The channels that owe a WritableAgain.
  std::vector<std::string> blocked() const;
  // Bytes accepted and not known to have arrived.
  std::size_t outstanding() const;

 private:
  using ChannelLane = ReceiveLane<control::LaneReader>;
  using ControlLane = ReceiveLane<control::ControlReader>;

  SendLane* lane_for(std::string_view channel);
  Result<void, Drop> handle_back(Instant now, const control::LanePacket& packet);
  Result<void, Drop> handle_push(Instant now, const control::LanePacket& packet);
  void pump_control();
  void after_receive(ChannelLane& lane);
  std::size_t frame_of(Instant now, kcp::Kcp& kcp, control::FrameType type, Bytes room);

  const Options options_;
  Budget& budget_;
  Budget control_budget_;  // never the limit: send_control's and the largest message's are
  SendLane control_out_;
  ControlLane control_in_;
  std::map<std::uint32_t, std::unique_ptr<SendLane>> out_;
  std::map<std::string, std::uint32_t, std::less<>> out_by_channel_;
  std::map<std::uint32_t, std::unique_ptr<ChannelLane>> in_;
  std::uint32_t last_served_ = 0;      // of out_: the next one goes first
  std::set<std::uint64_t> cancelled_;  // at most kCancelledMax
  std::deque<Event> events_;
};

}  // namespace ginnel::node
