#include "node/gossip/gossip_link.h"

#include <algorithm>

namespace ginnel::node {
namespace {

using control::FrameType;
using Kind = control::Gossip::Kind;

constexpr std::string_view kChannel = "gossip";

}  // namespace

void GossipLink::push(const control::Gossip& frame) {
  ByteVector bytes(control::kGossipOverheadBytes + frame.data.size());
  bytes.resize(control::write_frame(frame, bytes));
  if (bytes.empty()) return;
  if (frames_.size() == kGossipFramesMax) frames_.pop_front();
  frames_.push_back(std::move(bytes));
}

void GossipLink::open(const Channels::Options& epochs, Budget& budget) {
  channels_ = std::make_unique<Channels>(epochs, budget);
  backlog_.clear();
  backlog_bytes_ = 0;
  arrived_.clear();
}

bool GossipLink::send(ByteVector message) {
  if (backlog_bytes_ + message.size() > kGossipBacklogBytesMax) return false;
  backlog_bytes_ += message.size();
  backlog_.push_back(std::move(message));
  pump_backlog();
  return true;
}

void GossipLink::pump_backlog() {
  while (channels_ && !backlog_.empty() && channels_->send(kChannel, 0, backlog_.front())) {
    backlog_bytes_ -= backlog_.front().size();
    backlog_.pop_front();
  }
}

void GossipLink::handle_lane(Instant now, const control::Gossip& frame) {
  if (!channels_) return;
  const auto type = frame.kind == Kind::kLane ? FrameType::kKcp : FrameType::kKcpBack;
  (void)channels_->handle_kcp(now, type, frame.data);
  while (const auto event = channels_->poll_event()) {
    const auto* arrived = std::get_if<MessageArrived>(&*event);
    if (!arrived) continue;
    // Another channel's messages are taken too, or they would hold the budget.
    while (auto message = channels_->take(arrived->lane)) {
      if (arrived->lane == LaneKey{LaneKind::kMessages, std::string(kChannel)}) arrived_.push_back(std::move(message->data));
    }
  }
  pump_backlog();
}

std::optional<ByteVector> GossipLink::poll_message() {
  if (arrived_.empty()) return std::nullopt;
  ByteVector out = std::move(arrived_.front());
  arrived_.pop_front();
  return out;
}

void GossipLink::handle_timeout(Instant now) {
  if (channels_) channels_->handle_timeout(now);
  pump_backlog();
}

void GossipLink::resume(Instant now) {
  if (channels_) channels_->resume(now);
}

void GossipLink::handle_budget_freed() {
  if (channels_) channels_->handle_budget_freed();
  pump_backlog();
}

std::optional<Instant> GossipLink::next_timeout() const {
  return channels_ ? channels_->next_timeout() : std::nullopt;
}

std::size_t GossipLink::poll_frame(Instant now, Bytes room) {
  if (frames_.empty()) return poll_lane(now, room);
  const ByteVector& frame = frames_.front();
  if (frame.size() > room.size()) return 0;
  std::ranges::copy(frame, room.begin());
  const std::size_t size = frame.size();
  frames_.pop_front();
  return size;
}

// The KCP frame is written one byte further on, so that its body stands where GOSSIP's data does:
//
//   | GOSSIP | length + 1 | kind | body …
//            | KCP | length      | body …
std::size_t GossipLink::poll_lane(Instant now, Bytes room) {
  if (!channels_ || room.empty()) return 0;
  const std::size_t size = channels_->poll_frame(now, room.subspan(1));
  if (size == 0) return 0;
  Reader inner(room.subspan(1));
  const bool back = inner.u8() == static_cast<std::uint8_t>(FrameType::kKcpBack);
  const std::uint16_t length = inner.u16le();
  Writer(room)
      .u8(static_cast<std::uint8_t>(FrameType::kGossip))
      .u16le(static_cast<std::uint16_t>(length + 1))
      .u8(static_cast<std::uint8_t>(back ? Kind::kLaneBack : Kind::kLane));
  return size + 1;
}

}  // namespace ginnel::node
