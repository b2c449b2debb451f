// What gossip has to say to one other node, until a packet takes it: datagrams, and messages in
// order over a lane of its own. For one pair of epochs; another pair begins anew.
//
//   link.push(control::Gossip{.kind = Kind::kDatagram, .data = bytes});
//   link.open({.own_epoch = …, .peer_epoch = …}, budget);   // lanes work from here on
//   size += link.poll_frame(now, room);
//
// Pure; bounded by the constants below and by the Budget.
#pragma once
#include <deque>
#include <memory>
#include <optional>

#include "node/channels/channels.h"
#include "proto/control/gossip.h"

namespace ginnel::node {

// GOSSIP frames with datagrams that wait for a packet; past it the oldest goes.
inline constexpr std::size_t kGossipFramesMax = 128;
// Messages that wait for room in the lane; one more is refused, and its stream ends.
inline constexpr std::size_t kGossipBacklogBytesMax = std::size_t{8} << 20;

class GossipLink {
 public:
  void push(const control::Gossip& frame);
  // `budget` outlives the link. What waited for an earlier pair of epochs is gone.
  void open(const Channels::Options& epochs, Budget& budget);
  bool is_open() const { return channels_ != nullptr; }

  // False: too much waits already.
  bool send(ByteVector message);
  // A frame of kind kLane or kLaneBack.
  void handle_lane(Instant now, const control::Gossip& frame);
  std::optional<ByteVector> poll_message();

  void handle_timeout(Instant now);
  void handle_budget_freed();
  void resume(Instant now);  // the peer is heard again after a silence
  std::optional<Instant> next_timeout() const;
  // Writes one GOSSIP frame, header included. 0: there is none, or it does not fit.
  std::size_t poll_frame(Instant now, Bytes room);

 private:
  void pump_backlog();
  std::size_t poll_lane(Instant now, Bytes room);

  std::deque<ByteVector> frames_;
  std::unique_ptr<Channels> channels_;
  std::deque<ByteVector> backlog_;  // messages that the lane did not take yet
  std::size_t backlog_bytes_ = 0;
  std::deque<ByteVector> arrived_;
};

}  // namespace ginnel::node
