// All channels between us and one other node, for one run (epoch) of each: lanes of KCP that share
// the session (docs/wire/ginnel.md section 9).
//
//   Channels channels({.own_epoch = …, .peer_epoch = …}, budget);
//   channels.send("chat", 0, bytes);                         // then poll_frame() has output
//   channels.handle_kcp(now, FrameType::kKcp, body);
//   while (auto event = channels.poll_event()) ...           // MessageArrived: take("chat")
//
// Every (sender, kind, channel) is one lane, owned by its sender; lane 0 carries control messages,
// outside the budget: acknowledgements are what frees it. Pure; memory is bounded by the window per
// channel and by the node's Budget.
//
// A lane ends before the runs of the nodes when its owner gives up on what it holds (give_up): the
// receiver keeps what came whole, and the next message of the channel opens a lane of its own.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <set>
#include <variant>

#include "node/channels/given_ids.h"
#include "node/channels/receive_lane.h"
#include "node/channels/seen_lanes.h"
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

// A lane with more than this under way is a bulk lane: the others go before it, so that a small
// message does not wait for the pieces of a large one.
inline constexpr std::size_t kPromptBytesMax = std::size_t{64} << 10;
// Of so many frames one is a bulk lane's, whatever the others have: they go on, too.
inline constexpr std::uint32_t kBulkTurn = 8;

struct MessageArrived {
  LaneKey lane;
};
struct WritableAgain {
  LaneKey lane;
};
struct ControlArrived {
  control::ControlType type{};
  ByteVector body;
};

// What was sent and is not known to have arrived.
struct GivenBack {
  LaneKey lane;
  Unarrived message;
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
    kEndedLane,    // its owner has given up on it
    kRefused,      // KCP found it wrong
  };

  // `budget` outlives the channels.
  Channels(const Options& options, Budget& budget);

  // All or nothing. `id`: unique, or 0.
  Result<void, SendError> send(const LaneKey& key, std::uint64_t id, ConstBytes data);
  Result<void, SendError> send(std::string_view channel, std::uint64_t id, ConstBytes data) {
    return send({LaneKind::kMessages, std::string(channel)}, id, data);
  }
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

  // The message at the head of a lane, if one is whole.
  bool has_message(const LaneKey& key) const { return peek(key).has_value(); }
  std::optional<Arrived> take(const LaneKey& key);
  std::optional<Arrived> take(std::string_view channel) {
    return take({LaneKind::kMessages, std::string(channel)});
  }
  // Those with a message at their head.
  std::set<LaneKey> waiting() const;
  // Its id, without taking it.
  std::optional<std::uint64_t> peek(const LaneKey& key) const;
  // A program has this message: its sender is told, also when it comes again.
  void taken(std::uint64_t id);
  // The sender gave up on this message: it is dropped when it comes to the head of its channel.
  void cancel(std::uint64_t id);

  // All that has not arrived, lane by lane. The lanes are reset: the peer may be there again later
  // in the same run, and gets none of it then, unless it has it already.
  std::vector<GivenBack> give_up();
  // The owner of that lane of the peer's has given up on it.
  void handle_reset(std::uint32_t lane);

  std::uint64_t peer_epoch() const { return options_.peer_epoch; }
  // Those that owe a WritableAgain.
  std::vector<LaneKey> blocked() const;
  // Bytes accepted and not known to have arrived; the second without control messages.
  std::size_t outstanding() const { return control_out_.outstanding() + outstanding_messages(); }
  std::size_t outstanding_messages() const;

 private:
  using ChannelLane = ReceiveLane<control::LaneReader>;
  using ControlLane = ReceiveLane<control::ControlReader>;

  struct Incoming : ChannelLane {
    using ChannelLane::ChannelLane;
    std::optional<LaneKey> key{};  // once OPEN has arrived
    bool ending = false;           // reset: what is whole may still be taken
  };
  using IncomingMap = std::map<std::uint32_t, std::unique_ptr<Incoming>>;

  SendLane* lane_for(const LaneKey& key);
  Incoming* incoming_for(std::uint32_t number);
  Incoming* first_of(const LaneKey& key) const;
  // `visit` may end lanes.
  template <class Visit>
  void for_each_incoming(Visit visit) {
    for (auto it = in_.begin(); it != in_.end();) {
      const std::uint32_t number = it->first;
      visit(*it->second);
      it = in_.upper_bound(number);
    }
  }
  void note_opened(Incoming& lane);
  bool is_unwanted(const Incoming& lane);
  void announce(LaneKey key);
  Result<void, Drop> handle_back(Instant now, const control::LanePacket& packet);
  Result<void, Drop> handle_push(Instant now, const control::LanePacket& packet);
  void pump_control();
  void after_receive(Incoming& lane);
  std::size_t poll_lanes(Instant now, Bytes room, bool bulk);
  std::size_t frame_of(Instant now, kcp::Kcp& kcp, control::FrameType type, Bytes room);

  const Options options_;
  Budget& budget_;
  Budget control_budget_;  // never the limit: send_control's and the largest message's are
  SendLane control_out_;
  ControlLane control_in_;
  std::map<std::uint32_t, std::unique_ptr<SendLane>> out_;
  std::map<LaneKey, std::uint32_t> out_by_key_;
  std::uint32_t next_lane_ = 1;  // no number is used twice
  IncomingMap in_;
  SeenLanes seen_;  // of the peer's: those that are, or were, in in_
  // Of out_, of prompt and of bulk lanes: the next one goes first.
  std::array<std::uint32_t, 2> last_served_{};
  std::uint32_t turn_ = 0;             // counts frames of channels
  std::set<std::uint64_t> cancelled_;  // at most kCancelledMax
  GivenIds given_;
  std::deque<Event> events_;
};

}  // namespace ginnel::node
