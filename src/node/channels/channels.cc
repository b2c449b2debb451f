#include "node/channels/channels.h"

#include "base/timers.h"

namespace ginnel::node {
namespace {

using control::FrameType;

// sender epoch u16le, receiver epoch u16le, then the KCP packet.
constexpr std::size_t kEpochBytes = 4;

std::uint16_t low16(std::uint64_t epoch) { return static_cast<std::uint16_t>(epoch); }

bool is_acknowledgement(control::ControlType type) {
  using control::ControlType;
  return type == ControlType::kTaken || type == ControlType::kNotTaken ||
         type == ControlType::kCancel;
}

}  // namespace

Channels::Channels(const Options& options, Budget& budget)
    : options_(options),
      budget_(budget),
      control_budget_(2 * kControlWindowBytes, 0),
      control_out_(control::kControlLane, "", {}, control_budget_),
      control_in_(control::kControlLane, control_budget_) {}

SendLane* Channels::lane_for(std::string_view channel) {
  const auto known = out_by_channel_.find(channel);
  if (known != out_by_channel_.end()) return out_.at(known->second).get();
  if (out_.size() >= kLanesMax) return nullptr;
  const std::uint32_t number = static_cast<std::uint32_t>(out_.size()) + 1;
  std::array<std::byte, control::LaneOpen::kBytesMax> bytes{};
  Writer w(bytes);
  encode(control::LaneOpen{.channel = std::string(channel)}, w);
  auto lane = std::make_unique<SendLane>(number, std::string(channel), w.written(), budget_);
  out_by_channel_.emplace(channel, number);
  return out_.emplace(number, std::move(lane)).first->second.get();
}

Result<void, Channels::SendError> Channels::send(std::string_view channel, std::uint64_t id,
                                                 ConstBytes data) {
  if (channel.empty() || channel.size() > control::kChannelBytesMax) {
    return Fail(SendError::kBadChannel);
  }
  if (data.size() > control::kMessageBytesMax) return Fail(SendError::kTooLarge);
  SendLane* lane = lane_for(channel);
  if (!lane) return Fail(SendError::kTooManyLanes);
  std::array<std::byte, control::kMessageHeaderBytes> header{};
  Writer w(header);
  encode(control::MessageHeader{static_cast<std::uint32_t>(data.size()), id}, w);
  const std::size_t size = header.size() + data.size();
  if (lane->has_room(size) && lane->push(header, data)) return {};
  lane->note_blocked(size);
  return Fail(SendError::kWouldBlock);
}

bool Channels::send_control(control::ControlType type, ConstBytes body) {
  std::array<std::byte, control::kControlHeaderBytes> header{};
  Writer(header).u8(static_cast<std::uint8_t>(type)).u32le(static_cast<std::uint32_t>(body.size()));
  const std::size_t limit =
      kControlWindowBytes + (is_acknowledgement(type) ? kAcknowledgementBytes : 0);
  if (control_out_.outstanding() + header.size() + body.size() > limit) return false;
  return control_out_.push(header, body);
}

Result<void, Channels::Drop> Channels::handle_kcp(Instant now, FrameType type, ConstBytes body) {
  Reader r(body);
  const std::uint16_t sender = r.u16le();
  const std::uint16_t receiver = r.u16le();
  const auto packet = control::parse_lane_packet(r.rest());
  if (!packet) return Fail(Drop::kMalformed);
  if (sender != low16(options_.peer_epoch) || receiver != low16(options_.own_epoch)) {
    return Fail(Drop::kOtherEpoch);
  }
  return type == FrameType::kKcpBack ? handle_back(now, *packet) : handle_push(now, *packet);
}

Result<void, Channels::Drop> Channels::handle_back(Instant now, const control::LanePacket& packet) {
  const auto found = out_.find(packet.lane);
  const bool control = packet.lane == control::kControlLane;
  if (!control && found == out_.end()) return Fail(Drop::kUnknownLane);
  SendLane& lane = control ? control_out_ : *found->second;
  const auto fed = lane.kcp().handle_segments(now, packet.segments);
  lane.pump();
  if (lane.take_writable()) events_.push_back(WritableAgain{lane.channel()});
  return fed ? Result<void, Drop>{} : Fail(Drop::kRefused);
}

Result<void, Channels::Drop> Channels::handle_push(Instant now, const control::LanePacket& packet) {
  if (packet.lane == control::kControlLane) {
    const auto fed = control_in_.kcp().handle_segments(now, packet.segments);
    pump_control();
    return fed ? Result<void, Drop>{} : Fail(Drop::kRefused);
  }
  auto found = in_.find(packet.lane);
  if (found == in_.end()) {
    if (in_.size() >= kLanesMax) return Fail(Drop::kTooManyLanes);
    found = in_.emplace(packet.lane, std::make_unique<ChannelLane>(packet.lane, budget_)).first;
  }
  const auto fed = found->second->kcp().handle_segments(now, packet.segments);
  after_receive(*found->second);
  return fed ? Result<void, Drop>{} : Fail(Drop::kRefused);
}

void Channels::pump_control() {
  control_in_.pull();
  while (control_in_.is_ready()) {
    auto whole = control_in_.take();
    events_.push_back(ControlArrived{whole.header.type, std::move(whole.body)});
  }
}

void Channels::after_receive(ChannelLane& lane) {
  lane.pull();
  while (lane.is_ready() && cancelled_.erase(lane.stream().head().message_id) > 0) {
    (void)lane.take();
  }
  if (lane.take_news()) events_.push_back(MessageArrived{lane.stream().open()->channel});
}

void Channels::handle_timeout(Instant now) {
  const auto expire = [&](kcp::Kcp& kcp) {
    const auto at = kcp.next_timeout();
    if (at && *at <= now) kcp.handle_timeout(now);
  };
  expire(control_out_.kcp());
  expire(control_in_.kcp());
  for (auto& [number, lane] : out_) expire(lane->kcp());
  for (auto& [number, lane] : in_) expire(lane->kcp());
}

void Channels::resume(Instant now) {
  control_out_.kcp().resume(now);
  for (auto& [number, lane] : out_) lane->kcp().resume(now);
}

void Channels::handle_budget_freed() {
  for (auto& [number, lane] : in_) after_receive(*lane);
  for (auto& [number, lane] : out_) {
    if (lane->take_writable()) events_.push_back(WritableAgain{lane->channel()});
  }
}

std::optional<Instant> Channels::next_timeout() const {
  auto out = earlier(control_out_.kcp().next_timeout(), control_in_.kcp().next_timeout());
  for (const auto& [number, lane] : out_) out = earlier(out, lane->kcp().next_timeout());
  for (const auto& [number, lane] : in_) out = earlier(out, lane->kcp().next_timeout());
  return out;
}

std::size_t Channels::frame_of(Instant now, kcp::Kcp& kcp, FrameType type, Bytes room) {
  constexpr std::size_t kBefore = control::kFrameHeaderBytes + kEpochBytes;
  if (room.size() <= kBefore) return 0;
  const auto packet = kcp.poll_transmit(now, room.subspan(kBefore));
  if (!packet) return 0;
  Writer(room)
      .u8(static_cast<std::uint8_t>(type))
      .u16le(static_cast<std::uint16_t>(kEpochBytes + packet->size))
      .u16le(low16(options_.own_epoch))
      .u16le(low16(options_.peer_epoch));
  return kBefore + packet->size;
}

// Acknowledgements first: they are short and others wait for them; then the control lane; then the
// channels in turn.
std::size_t Channels::poll_frame(Instant now, Bytes room) {
  if (const auto n = frame_of(now, control_in_.kcp(), FrameType::kKcpBack, room)) return n;
  for (auto& [number, lane] : in_) {
    if (const auto n = frame_of(now, lane->kcp(), FrameType::kKcpBack, room)) return n;
  }
  if (const auto n = frame_of(now, control_out_.kcp(), FrameType::kKcp, room)) return n;
  auto next = out_.upper_bound(last_served_);
  for (std::size_t i = 0; i < out_.size(); ++i, ++next) {
    if (next == out_.end()) next = out_.begin();
    if (const auto n = frame_of(now, next->second->kcp(), FrameType::kKcp, room)) {
      last_served_ = next->first;
      return n;
    }
  }
  return 0;
}

std::optional<Channels::Event> Channels::poll_event() {
  if (events_.empty()) return std::nullopt;
  Event out = std::move(events_.front());
  events_.pop_front();
  return out;
}

bool Channels::has_message(std::string_view channel) const {
  for (const auto& [number, lane] : in_) {
    if (lane->is_ready() && lane->stream().open()->channel == channel) return true;
  }
  return false;
}

std::set<std::string> Channels::waiting() const {
  std::set<std::string> out;
  for (const auto& [number, lane] : in_) {
    if (lane->is_ready()) out.insert(lane->stream().open()->channel);
  }
  return out;
}

std::optional<std::uint64_t> Channels::peek(std::string_view channel) const {
  for (const auto& [number, lane] : in_) {
    if (lane->is_ready() && lane->stream().open()->channel == channel) {
      return lane->stream().head().message_id;
    }
  }
  return std::nullopt;
}

void Channels::cancel(std::uint64_t id) {
  if (cancelled_.size() >= kCancelledMax) cancelled_.erase(cancelled_.begin());
  cancelled_.insert(id);
  for (auto& [number, lane] : in_) after_receive(*lane);
}

std::optional<Arrived> Channels::take(std::string_view channel) {
  for (auto& [number, lane] : in_) {
    if (!lane->is_ready() || lane->stream().open()->channel != channel) continue;
    auto whole = lane->take();
    after_receive(*lane);
    return Arrived{whole.header.message_id, std::move(whole.body)};
  }
  return std::nullopt;
}

std::vector<std::string> Channels::blocked() const {
  std::vector<std::string> out;
  for (const auto& [number, lane] : out_) {
    if (lane->is_blocked()) out.push_back(lane->channel());
  }
  return out;
}

std::size_t Channels::outstanding() const {
  std::size_t out = control_out_.outstanding();
  for (const auto& [number, lane] : out_) out += lane->outstanding();
  return out;
}

}  // namespace ginnel::node
