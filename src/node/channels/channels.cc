#include "node/channels/channels.h"

#include "base/timers.h"
#include "proto/control/acknowledgement.h"
#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

using control::FrameType;

// sender epoch u16le, receiver epoch u16le, then the KCP packet.
constexpr std::size_t kEpochBytes = 4;

std::uint16_t low16(std::uint64_t epoch) { return static_cast<std::uint16_t>(epoch); }

bool is_acknowledgement(control::ControlType type) {
  using control::ControlType;
  return type == ControlType::kTaken || type == ControlType::kNotTaken ||
         type == ControlType::kCancel || type == ControlType::kLaneReset;
}

}  // namespace

Channels::Channels(const Options& options, Budget& budget)
    : options_(options),
      budget_(budget),
      control_budget_(2 * kControlWindowBytes, 0),
      control_out_(control::kControlLane, {}, {}, control_budget_),
      control_in_(control::kControlLane, control_budget_) {}

SendLane* Channels::lane_for(const LaneKey& key) {
  const auto known = out_by_key_.find(key);
  if (known != out_by_key_.end()) return out_.at(known->second).get();
  if (out_.size() >= kLanesMax) return nullptr;
  const std::uint32_t number = next_lane_++;
  std::array<std::byte, control::LaneOpen::kBytesMax> bytes{};
  Writer w(bytes);
  encode(control::LaneOpen{.kind = key.kind, .channel = key.channel}, w);
  auto lane = std::make_unique<SendLane>(number, key, w.written(), budget_);
  out_by_key_.emplace(key, number);
  return out_.emplace(number, std::move(lane)).first->second.get();
}

Result<void, Channels::SendError> Channels::send(const LaneKey& key, std::uint64_t id,
                                                 ConstBytes data) {
  if (key.channel.empty() || key.channel.size() > control::kChannelBytesMax) {
    return Fail(SendError::kBadChannel);
  }
  if (data.size() > control::kMessageBytesMax) return Fail(SendError::kTooLarge);
  SendLane* lane = lane_for(key);
  if (!lane) return Fail(SendError::kTooManyLanes);
  std::array<std::byte, control::kMessageHeaderBytes> header{};
  Writer w(header);
  encode(control::MessageHeader{static_cast<std::uint32_t>(data.size()), id}, w);
  const std::size_t size = header.size() + data.size();
  if (lane->has_room(size) && lane->push(id, header, data)) return {};
  lane->note_blocked(size);
  return Fail(SendError::kWouldBlock);
}

bool Channels::send_control(control::ControlType type, ConstBytes body) {
  std::array<std::byte, control::kControlHeaderBytes> header{};
  Writer(header).u8(static_cast<std::uint8_t>(type)).u32le(static_cast<std::uint32_t>(body.size()));
  const std::size_t limit =
      kControlWindowBytes + (is_acknowledgement(type) ? kAcknowledgementBytes : 0);
  if (control_out_.outstanding() + header.size() + body.size() > limit) return false;
  return control_out_.push(0, header, body);
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
  if (lane.take_writable()) events_.push_back(WritableAgain{lane.key()});
  return fed ? Result<void, Drop>{} : Fail(Drop::kRefused);
}

Result<void, Channels::Drop> Channels::handle_push(Instant now, const control::LanePacket& packet) {
  if (packet.lane == control::kControlLane) {
    const auto fed = control_in_.kcp().handle_segments(now, packet.segments);
    pump_control();
    return fed ? Result<void, Drop>{} : Fail(Drop::kRefused);
  }
  if (seen_.contains(packet.lane) && !in_.contains(packet.lane)) return Fail(Drop::kEndedLane);
  Incoming* lane = incoming_for(packet.lane);
  if (!lane) return Fail(Drop::kTooManyLanes);
  if (lane->ending) return Fail(Drop::kEndedLane);
  const auto fed = lane->kcp().handle_segments(now, packet.segments);
  after_receive(*lane);
  return fed ? Result<void, Drop>{} : Fail(Drop::kRefused);
}

Channels::Incoming* Channels::incoming_for(std::uint32_t number) {
  if (const auto found = in_.find(number); found != in_.end()) return found->second.get();
  if (in_.size() >= kLanesMax || !seen_.add(number)) return nullptr;
  return in_.emplace(number, std::make_unique<Incoming>(number, budget_)).first->second.get();
}

void Channels::pump_control() {
  control_in_.pull();
  while (control_in_.is_ready()) {
    auto whole = control_in_.take();
    events_.push_back(ControlArrived{whole.header.type, std::move(whole.body)});
  }
}

void Channels::after_receive(Incoming& lane) {
  lane.pull();
  if (!lane.key && lane.stream().open()) note_opened(lane);
  while (lane.is_ready() && is_unwanted(lane)) (void)lane.take();
  if (lane.key) announce(*lane.key);
}

// The message at the head was cancelled, or a program has it already: after giving up, its sender
// may send it again in another lane. The ids of replies are our own.
bool Channels::is_unwanted(const Incoming& lane) {
  const std::uint64_t id = lane.stream().head().message_id;
  if (id == 0 || lane.key->kind == LaneKind::kReplies) return false;
  if (cancelled_.erase(id) > 0) return true;
  if (!given_.contains(id)) return false;
  if (given_.is_taken(id)) taken(id);
  return true;
}

void Channels::taken(std::uint64_t id) {
  given_.take(id);
  (void)send_control(control::ControlType::kTaken, control::to_bytes(control::Taken{id}));
}

// The next lane of a channel says that the one before has ended, too: LANE_RESET may come later.
void Channels::note_opened(Incoming& lane) {
  lane.key = LaneKey{lane.stream().open()->kind, lane.stream().open()->channel};
  for (auto& [number, other] : in_) {
    if (other->key == lane.key && number < lane.number()) other->ending = true;
    if (other->key == lane.key && number > lane.number()) lane.ending = true;
  }
}

// The one whose messages come next.
Channels::Incoming* Channels::first_of(const LaneKey& key) const {
  for (const auto& [number, lane] : in_) {
    if (lane->key == key) return lane.get();
  }
  return nullptr;
}

// Lanes of `key` that have ended and hold no whole message any more go; behind one that does, the
// next one waits for its turn.
void Channels::announce(const LaneKey key) {
  for (Incoming* first = first_of(key); first; first = first_of(key)) {
    if (!first->ending || first->holds_whole()) {
      if (first->take_news()) events_.push_back(MessageArrived{key});
      return;
    }
    in_.erase(first->number());
  }
}

void Channels::handle_reset(std::uint32_t number) {
  const auto found = in_.find(number);
  if (found == in_.end()) {
    (void)seen_.add(number);  // nothing of it has come yet, and nothing shall
    return;
  }
  found->second->ending = true;
  const auto key = found->second->key;
  if (key) return announce(*key);
  in_.erase(found);
}

std::vector<GivenBack> Channels::give_up() {
  std::vector<GivenBack> out;
  for (auto& [number, lane] : out_) {
    if (lane->outstanding() == 0) continue;
    for (Unarrived& message : lane->give_back()) out.push_back({lane->key(), std::move(message)});
    (void)send_control(control::ControlType::kLaneReset,
                       control::to_bytes(control::LaneReset{number}));
    if (lane->is_blocked()) events_.push_back(WritableAgain{lane->key()});
    out_by_key_.erase(lane->key());
  }
  std::erase_if(out_,
                [&](const auto& entry) { return !out_by_key_.contains(entry.second->key()); });
  return out;
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
  for_each_incoming([&](Incoming& lane) { after_receive(lane); });
  for (auto& [number, lane] : out_) {
    if (lane->take_writable()) events_.push_back(WritableAgain{lane->key()});
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
// channels, those with little under way before those with much.
std::size_t Channels::poll_frame(Instant now, Bytes room) {
  if (const auto n = frame_of(now, control_in_.kcp(), FrameType::kKcpBack, room)) return n;
  for (auto& [number, lane] : in_) {
    if (const auto n = frame_of(now, lane->kcp(), FrameType::kKcpBack, room)) return n;
  }
  if (const auto n = frame_of(now, control_out_.kcp(), FrameType::kKcp, room)) return n;
  const bool bulk_first = (turn_ + 1) % kBulkTurn == 0;
  if (const auto n = poll_lanes(now, room, bulk_first)) return n;
  return poll_lanes(now, room, !bulk_first);
}

// In turn.
std::size_t Channels::poll_lanes(Instant now, Bytes room, bool bulk) {
  std::uint32_t& last_served = last_served_[bulk ? 1 : 0];
  auto next = out_.upper_bound(last_served);
  for (std::size_t i = 0; i < out_.size(); ++i, ++next) {
    if (next == out_.end()) next = out_.begin();
    if ((next->second->outstanding() > kPromptBytesMax) != bulk) continue;
    if (const auto n = frame_of(now, next->second->kcp(), FrameType::kKcp, room)) {
      last_served = next->first;
      ++turn_;
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

std::set<LaneKey> Channels::waiting() const {
  std::set<LaneKey> out;
  for (const auto& [number, lane] : in_) {
    if (lane->is_ready() && first_of(*lane->key) == lane.get()) out.insert(*lane->key);
  }
  return out;
}

std::optional<std::uint64_t> Channels::peek(const LaneKey& key) const {
  const Incoming* lane = first_of(key);
  if (!lane || !lane->is_ready()) return std::nullopt;
  return lane->stream().head().message_id;
}

void Channels::cancel(std::uint64_t id) {
  if (cancelled_.size() >= kCancelledMax) cancelled_.erase(cancelled_.begin());
  cancelled_.insert(id);
  for_each_incoming([&](Incoming& lane) { after_receive(lane); });
}

std::optional<Arrived> Channels::take(const LaneKey& key) {
  Incoming* lane = first_of(key);
  if (!lane || !lane->is_ready()) return std::nullopt;
  auto whole = lane->take();
  const std::uint64_t id = whole.header.message_id;
  if (id != 0 && key.kind != LaneKind::kReplies) given_.add(id);
  after_receive(*lane);  // may end it
  return Arrived{id, std::move(whole.body)};
}

std::vector<LaneKey> Channels::blocked() const {
  std::vector<LaneKey> out;
  for (const auto& [number, lane] : out_) {
    if (lane->is_blocked()) out.push_back(lane->key());
  }
  return out;
}

std::size_t Channels::outstanding_messages() const {
  std::size_t out = 0;
  for (const auto& [number, lane] : out_) out += lane->outstanding();
  return out;
}

}  // namespace ginnel::node
