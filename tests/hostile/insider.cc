#include "insider.h"

#include <algorithm>

#include "io/clock.h"
#include "proto/control/hello.h"
#include "proto/control/network_info.h"
#include "proto/control/ping.h"
#include "proto/control/registration.h"
#include "proto/control/signing.h"

namespace ginnel::hostile {

using control::FrameType;

Insider::Insider(Options options, Rng rng)
    : options_(std::move(options)), rng_(std::move(rng)), epoch_(rng_.below(1u << 30) + 1) {}

// --- the honest part

// A later run of the same node.
void Insider::begin(Instant now) {
  ++epoch_;
  begun_ = answered_ = now;
  attacks_ = 0;
  established_ = accepted_ = false;
  channels_.reset();
  queue_.clear();
  device_ = std::make_unique<wg::Device>(wg::Config{}, options_.identity.session.clone(),
                                         rng_.fork("device"), now, io::wall());
  wg::PeerConfig config;
  config.retransmission = wg::Retransmission::kOwnNode;
  peer_ = *device_->add_peer(now, options_.target_key, std::move(config));
  device_->set_endpoint(now, peer_, kSocket, options_.target);
  device_->begin_handshake(now, peer_);
}

void Insider::handle_datagram(Instant now, Bytes bytes) {
  if (!device_) return;
  const auto opened = device_->open(now, kSocket, options_.target, bytes);
  while (auto event = device_->poll_event()) {
    if (!std::holds_alternative<wg::SessionEstablished>(*event) || established_) continue;
    established_ = true;
    push_hello();
  }
  if (opened && !opened->plaintext.empty()) handle_frames(now, opened->plaintext);
}

void Insider::handle_frames(Instant now, ConstBytes plaintext) {
  if (control::inner_kind(plaintext) != control::InnerKind::kFrames) return;
  options_.seeds->add_live_frames(plaintext);
  control::FrameReader frames(plaintext);
  while (const auto frame = frames.next()) handle_frame(now, *frame);
}

void Insider::handle_frame(Instant now, const control::Frame& frame) {
  switch (frame.type) {
    case FrameType::kHello: return handle_hello(frame);
    case FrameType::kRegister: return answer_register(frame);
    case FrameType::kRegistered:
      if (const auto answer = control::parse_registered(frame.body)) {
        relay_index_ = relay::Index(answer->relay_index);
        relay_key_ = answer->relay_key;
      }
      return;
    case FrameType::kPong:
      answered_ = now;
      ++counts_.answered;
      return;
    case FrameType::kKcp:
    case FrameType::kKcpBack:
      if (channels_) (void)channels_->handle_kcp(now, frame.type, frame.body);
      return take_channel_events();
    default: return;
  }
}

void Insider::handle_hello(const control::Frame& frame) {
  const auto hello = control::parse_hello(frame.body);
  if (!hello) return;
  if (!channels_ || channels_->peer_epoch() != hello->epoch) {
    channels_ = std::make_unique<node::Channels>(
        node::Channels::Options{.own_epoch = epoch_, .peer_epoch = hello->epoch}, budget_);
  }
  if (hello->holds_your_certificate && !accepted_) {
    accepted_ = true;
    ++counts_.lives;
    push_register();
  }
  if (hello->wants_answer) push_hello();
}

// As a hub: whoever registers is told that it is registered.
void Insider::answer_register(const control::Frame& frame) {
  const auto message = control::parse_register(frame.body);
  if (!message) return;
  relay_index_ = relay::Index(static_cast<std::uint32_t>(rng_.below(relay::kIndexMax)) + 1);
  relay_key_ = rng_.array<crypto::kSipKeyBytes>();
  push(control::Registered{.sequence = message->sequence,
                           .relay_index = relay_index_.value(),
                           .relay_key = relay_key_,
                           .observed = {Address::v4(127, 0, 0, 1), 4000},
                           .heartbeat_ms = 2000,
                           .hub_epoch = epoch_});
}

void Insider::take_channel_events() {
  while (channels_) {
    const auto event = channels_->poll_event();
    if (!event) return;
    if (const auto* arrived = std::get_if<node::MessageArrived>(&*event)) {
      (void)channels_->take(arrived->lane);
    }
  }
}

template <class Body>
void Insider::push(const Body& body) {
  ByteVector frame(2048);
  frame.resize(control::write_frame(body, frame));
  if (!frame.empty() && queue_.size() < kQueueMax) queue_.push_back(std::move(frame));
}

void Insider::push_hello() {
  control::Hello hello;
  hello.holds_your_certificate = channels_ != nullptr;
  hello.wants_answer = !accepted_;
  hello.epoch = epoch_;
  hello.chain = options_.identity.chain;
  push(hello);
}

void Insider::push_register() {
  control::NetworkInfo info;
  info.epoch = epoch_;
  info.sequence = ++sequence_;
  for (std::uint64_t i = rng_.below(4); i > 0; --i) {
    info.candidates.push_back(
        {control::Candidate::Kind::kPublic, {Address::v4(rng_.u32()), 7700}});
  }
  const node::OwnIdentity& own = options_.identity;
  control::sign_network_info(info, own.identity, own.network);
  const ByteVector bytes = control::to_bytes(info);
  control::Register message;
  message.sequence = sequence_;
  message.network_info = bytes;
  push(message);
}

void Insider::push_ping(Instant now) {
  pinged_ = now;
  control::Ping ping;
  ping.id = epoch_;
  ping.stamp = static_cast<std::uint64_t>(now.ns);
  push(ping);
}

std::optional<std::size_t> Insider::poll_transmit(Instant now, Bytes slot) {
  const bool is_old = attacks_ >= kLife && now - begun_ >= kLifeMin;
  if (!device_ || is_old || now - answered_ > kPatience) begin(now);
  if (const auto due = device_->next_timeout(); due && *due <= now) device_->handle_timeout(now);
  if (const auto transmit = device_->poll_transmit(now, slot)) {
    options_.seeds->add_live(slot.first(transmit->size));
    return transmit->size;
  }
  if (!established_) return std::nullopt;
  if (accepted_ && now - pinged_ >= kPingEvery) push_ping(now);
  if (queue_.empty()) return std::nullopt;
  const ByteVector frame = std::move(queue_.front());
  queue_.erase(queue_.begin());
  options_.seeds->add_live_frames(frame);
  const std::size_t size = seal(now, frame, slot);
  return size == 0 ? std::nullopt : std::optional(size);
}

std::size_t Insider::seal(Instant now, ConstBytes plaintext, Bytes slot) {
  return device_->seal(now, peer_, plaintext, slot).value_or(0);
}

// --- the other part

std::size_t Insider::attack(Instant now, Bytes slot) {
  std::size_t size = 0;
  const std::uint64_t dice = rng_.below(100);
  if (dice < 20) size = attack_by_lane(now, slot);
  else if (dice < 32) size = attack_by_relay(slot);
  else if (dice < 40) size = attack_by_ip(now, slot);
  if (size == 0) size = attack_by_frames(now, slot);
  if (size == 0) return 0;
  ++attacks_;
  ++counts_.attacks;
  if (rng_.chance(0.01)) options_.seeds->add_live(slot.first(size));
  return size;
}

std::size_t Insider::attack_by_frames(Instant now, Bytes slot) {
  Seeds& seeds = *options_.seeds;
  const std::uint64_t dice = rng_.below(10);
  ByteVector plaintext;
  if (dice < 3) plaintext = seeds.random();
  else if (dice < 8) plaintext = seeds.mutated_frame(seeds.frames());
  else plaintext = seeds.mutated(seeds.frames());
  keep_epoch(plaintext);
  // A GOODBYE that is right ends the life; one in a hundred may.
  const bool is_goodbye = plaintext[0] == std::byte{static_cast<std::uint8_t>(FrameType::kGoodbye)};
  if (is_goodbye && !rng_.chance(0.01)) plaintext[0] = std::byte{0x3f};
  return seal(now, plaintext, slot);
}

// Who says that a later run of itself was there is out: that is no attack on anybody else.
void Insider::keep_epoch(Bytes plaintext) const {
  constexpr std::size_t kEpochOffset = 12;
  control::FrameReader frames(plaintext);
  while (const auto frame = frames.next()) {
    const auto hello = control::parse_hello(frame->body);
    if (frame->type != FrameType::kHello || !hello || hello->epoch <= epoch_) continue;
    const auto at = static_cast<std::size_t>(frame->body.data() - plaintext.data());
    Writer(plaintext.subspan(at + kEpochOffset)).u64le(epoch_);
  }
}

// Hostile control messages and messages in lanes that work.
std::size_t Insider::attack_by_lane(Instant now, Bytes slot) {
  if (!channels_) return 0;
  Seeds& seeds = *options_.seeds;
  if (const auto due = channels_->next_timeout(); due && *due <= now) {
    channels_->handle_timeout(now);
    take_channel_events();
  }
  if (rng_.chance(0.7)) {
    const Seeds::Control& seed = seeds.control();
    const auto type = rng_.chance(0.9) ? seed.type : control::ControlType{rng_.array<1>()[0]};
    (void)channels_->send_control(type, rng_.chance(0.1) ? seed.body : seeds.mutated(seed.body));
  } else {
    const std::string channel = "c" + std::to_string(rng_.below(80));
    (void)channels_->send(channel, rng_.u64(), seeds.random());
  }
  std::array<std::byte, 1168> plaintext{};
  const std::size_t size = channels_->poll_frame(now, plaintext);
  if (size == 0) return 0;
  const Bytes frame = Bytes(plaintext).first(size);
  if (rng_.chance(0.2)) return seal(now, seeds.mutated_frame(frame), slot);
  return seal(now, frame, slot);
}

// As a peer: through the hub to whoever; as a hub: as if from whoever.
std::size_t Insider::attack_by_relay(Bytes slot) {
  if (relay_index_ == relay::Index(0)) return 0;
  Seeds& seeds = *options_.seeds;
  const ByteVector payload = rng_.chance(0.5) ? seeds.random() : seeds.mutated(seeds.outer());
  const std::size_t size =
      relay::kHeaderBytes + std::min(payload.size(), Seeds::kDatagramBytesMax);
  std::ranges::copy(ConstBytes(payload).first(size - relay::kHeaderBytes),
                    slot.begin() + relay::kHeaderBytes);
  const relay::Index other(static_cast<std::uint32_t>(rng_.below(relay::kIndexMax)) + 1);
  const bool hub = options_.identity.role == Role::kHub;
  relay::Header header{.source = relay_index_, .destination = other};
  if (hub) header = {.source = other, .hops = relay::kHopsFromHub, .destination = relay_index_};
  if (rng_.chance(0.1)) header.destination = header.source;
  relay::write_header(header, relay_key_, slot.first(size));
  if (rng_.chance(0.2)) slot[rng_.below(relay::kHeaderBytes)] ^= std::byte{1};
  return size;
}

std::size_t Insider::attack_by_ip(Instant now, Bytes slot) {
  ByteVector packet(rng_.below(1300) + 20);
  rng_.fill(packet);
  const bool v4 = rng_.chance(0.5);
  packet[0] = v4 ? std::byte{0x45} : std::byte{0x60};
  const std::size_t length = v4 ? packet.size() : packet.size() - std::min<std::size_t>(40, packet.size());
  const std::size_t at = v4 ? 2 : 4;
  if (rng_.chance(0.8)) {
    packet[at] = static_cast<std::byte>(length >> 8);
    packet[at + 1] = static_cast<std::byte>(length);
  }
  return seal(now, packet, slot);
}

}  // namespace ginnel::hostile
