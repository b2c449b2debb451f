// A packet's way out. Where it will go is known before it is composed, so that header, plaintext
// and tag are written in place:
//
//   slot  [ relay header 16, if relayed | WireGuard header 16 | plaintext | tag 16 ]
//
//   1. poll_device    handshakes and keepalives
//   2. poll_raw       relayed packets and STUN answers
//      poll_host      our own questions to hubs: STUN
//   3. poll_session   per session that may have something: HELLO, frames, lanes, IP packets
#include <algorithm>
#include <cstring>

#include "base/timers.h"
#include "node/ip_packet.h"
#include "node/node.h"

namespace ginnel::node {
namespace {

constexpr std::size_t kRelayRoom = relay::kHeaderBytes;
// Largest plaintext of frames: fits a 1280-byte path, relayed, and is a multiple of 16.
constexpr std::size_t kFramesMax = 1168;

}  // namespace

wg::PeerHandle hub_of(PathId path) { return wg::PeerHandle(path.value() - kRelayPathBase); }

wg::Route relay_route(wg::PeerHandle hub, std::uint32_t index) {
  return {PathId(kRelayPathBase + hub.value()), Endpoint{Address::v4(index), 0}};
}

std::optional<Transmit> Node::poll_transmit(Instant now, Bytes slot) {
  if (budget_.take_freed()) handle_budget_freed(now);
  finish_rotation(now);
  pump_gossip(now);
  if (auto transmit = poll_device(now, slot)) return transmit;
  if (auto transmit = poll_raw(slot)) return transmit;
  if (auto transmit = poll_host(now, slot)) return transmit;
  while (!ready_.empty()) {
    // In turn, so that a busy session does not silence the others.
    auto next = ready_.upper_bound(last_served_);
    if (next == ready_.end()) next = ready_.begin();
    const wg::PeerHandle handle = *next;
    last_served_ = handle;
    Session* session = find(handle);
    if (session) {
      if (auto transmit = poll_session(now, *session, slot)) return transmit;
    }
    ready_.erase(handle);
  }
  return std::nullopt;
}

std::optional<Transmit> Node::poll_device(Instant now, Bytes slot) {
  for (;;) {
    const auto transmit = device_.poll_transmit(now, slot.subspan(kRelayRoom));
    handle_device_events(now);
    if (!transmit) return std::nullopt;
    const wg::Route route{transmit->path, transmit->to};
    if (!is_relay_path(route.path)) {
      std::memmove(slot.data(), slot.data() + kRelayRoom, transmit->size);
    }
    // A relay that is gone: the handshake is sent again when there is another way.
    if (auto wrapped = wrap(route, transmit->size, slot)) return wrapped;
  }
}

std::optional<Transmit> Node::poll_raw(Bytes slot) {
  if (raw_.empty()) return std::nullopt;
  const Transmit out = raw_.front().transmit;
  std::ranges::copy(raw_.front().bytes, slot.begin());
  raw_.pop_front();
  return out;
}

void Node::push_raw(Transmit transmit, ConstBytes bytes) {
  if (raw_.size() >= kRawQueueMax) {
    ++raw_dropped_;
    return;
  }
  transmit.size = bytes.size();
  raw_.push_back({transmit, to_vector(bytes)});
}

// Adds the relay header in front of a sealed packet at slot[16], where the route needs one.
std::optional<Transmit> Node::wrap(const wg::Route& route, std::size_t sealed_size,
                                   Bytes slot) const {
  if (!is_relay_path(route.path)) {
    return Transmit{.path = route.path, .to = route.endpoint, .size = sealed_size};
  }
  const Session* hub = find(hub_of(route.path));
  if (!hub || !hub->hub_link || !hub->hub_link->registration() || !hub->route) return std::nullopt;
  const auto& registration = *hub->hub_link->registration();
  const Bytes packet = slot.first(kRelayRoom + sealed_size);
  relay::write_header({.source = relay::Index(registration.relay_index),
                       .destination = relay::Index(route.endpoint.address.v4_value())},
                      registration.relay_key, packet);
  return Transmit{.path = hub->route->path, .to = hub->route->endpoint, .size = packet.size()};
}

std::optional<Transmit> Node::poll_session(Instant now, Session& session, Bytes slot) {
  if (!device_.current_key_pair(session.handle) || is_stopped(session)) return std::nullopt;
  if (auto probe = poll_agent(now, session, slot)) return probe;
  if (auto probe = poll_mtu_probe(now, session, slot)) return probe;
  if (!session.route) return std::nullopt;
  const bool relayed = is_relay_path(session.route->path);
  const std::size_t start = (relayed ? kRelayRoom : 0) + wg::kDataHeaderBytes;
  if (slot.size() < start + kFramesMax + crypto::kTagBytes) return std::nullopt;
  Composed composed;
  if (!session.stock) composed = compose(now, session, slot.subspan(start, kFramesMax));
  std::size_t& size = composed.size;
  if (size == 0 && !session.packets.empty() && (session.stock || session.is_ready())) {
    ByteVector packet = std::move(session.packets.front());
    session.packets.pop_front();
    if (packet.size() > kFramesMax && !session.stock) {  // fits every path in two fragments
      push_frame(session, std::move(packet));
      return poll_session(now, session, slot);
    }
    if (slot.size() < start + packet.size() + 2 * crypto::kTagBytes) return std::nullopt;
    std::ranges::copy(packet, slot.subspan(start).begin());
    composed = {.size = packet.size(), .is_use = true};
    note_use(now, session);
  }
  if (size == 0) return std::nullopt;
  session.tx_bytes += size;
  const wg::Route route = *session.route;
  if (session.agent && composed.is_use) {
    session.agent->want_direct(now);
    session.agent->handle_sent(now, route.path, route.endpoint);
    run_agent(now, session);
  }
  return seal(now, session, route, size, slot);
}

std::optional<Transmit> Node::seal(Instant now, Session& session, const wg::Route& route,
                                   std::size_t size, Bytes slot) {
  const Bytes out = is_relay_path(route.path) ? slot.subspan(kRelayRoom) : slot;
  const auto sealed =
      device_.seal(now, session.handle, out.subspan(wg::kDataHeaderBytes, size), out);
  if (!sealed) return std::nullopt;
  return wrap(route, *sealed, slot);
}

// As many frames as fit one packet: HELLO first, then what waits, then lanes, then gossip.
Node::Composed Node::compose(Instant now, Session& session, Bytes plaintext) {
  std::size_t size = 0;
  if (session.hello.is_due(now)) size += write_hello(now, session, plaintext);
  const std::size_t hello_size = size;
  if (session.hub_link && session.is_ready()) compose_hub_frames(now, session);
  while (!session.frames.empty()) {
    const ByteVector& frame = session.frames.front();
    if (frame.size() > plaintext.size() - size) break;
    std::ranges::copy(frame, plaintext.subspan(size).begin());
    size += frame.size();
    session.frames.pop_front();
  }
  if (session.channels && may_use_channels(session)) {
    while (const std::size_t n = session.channels->poll_frame(now, plaintext.subspan(size))) {
      size += n;
    }
  }
  const bool more = size > hello_size;
  if (more) note_use(now, session);
  // A HELLO alone is a use if we wanted the session: who answers cannot know what it is for.
  const bool is_use = more || (hello_size > 0 && session.wanted);
  size += compose_gossip(now, session, plaintext.subspan(size), hello_size > 0);
  return {.size = size, .is_use = is_use};
}

// A certificate known from table E counts as exchanged: then the first message rides with HELLO.
bool Node::may_use_channels(const Session& session) const {
  return session.is_ready() || (session.id && directory_.find(*session.id));
}

std::size_t Node::write_hello(Instant now, Session& session, Bytes out) {
  control::Hello hello = session.hello.take(now);
  // We hold the certificate already if the directory has it.
  if (session.id) hello.holds_your_certificate = true;
  hello.chain = self_.chain;
  return control::write_frame(hello, out);
}

// Larger than one packet (a JOINED with many hubs): in two fragments.
bool Node::push_frame(Session& session, ByteVector frame) {
  if (frame.empty() || session.frames.size() + 2 > kSessionFramesMax) {
    ++losses_of(session).frames;
    return false;
  }
  wake(session);
  if (frame.size() <= kFramesMax) {
    session.frames.push_back(std::move(frame));
    return true;
  }
  const auto parts = control::split(frame, session.next_fragment++, kFramesMax);
  if (!parts) return false;
  for (const control::Fragment& part : *parts) {
    ByteVector bytes(kFramesMax);
    bytes.resize(control::write_frame(part, bytes));
    session.frames.push_back(std::move(bytes));
  }
  return true;
}

bool Node::wants_to_send(Instant now, const Session& session) const {
  if (session.stock) return !session.packets.empty();
  if (const auto due = mtu_probe_due(session); due && *due <= now) return true;
  if (session.hello.is_due(now)) return true;
  if (session.hub_link &&
      (session.hub_link->register_due(now) || session.hub_link->heartbeat_due(now))) {
    return true;
  }
  return !session.frames.empty() || !session.packets.empty() || session.channels;
}

void Node::handle_tun_packet(Instant now, ConstBytes packet) {
  const auto header = parse_ip(packet);
  if (!header) return;
  Session* session = nullptr;
  if (const Peer* peer = directory_.find_address(header->destination)) {
    session = session_with(now, peer->record.id);
  } else {
    session = stock_peer_for(header->destination);
  }
  if (!session || is_stopped(*session)) return;
  if (session->packets.size() >= kSessionPacketsMax) {
    session->packets.pop_front();
    ++losses_of(*session).ip_packets;
  }
  session->packets.push_back(to_vector(packet.first(header->total_size)));
  if (!session->has_key_pair) device_.begin_handshake(now, session->handle);
  wake(*session);
}

}  // namespace ginnel::node
