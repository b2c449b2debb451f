// How large a packet to a peer may be (docs/wire/ginnel.md section 8): between peers the path agent
// searches; a session without one, with a hub, is searched here by padded PINGs.
#include <algorithm>

#include "node/node.h"

namespace ginnel::node {
namespace {

// What sealing, UDP and IP add to an inner packet.
std::size_t overhead_to(const wg::Route& route) {
  constexpr std::size_t kUdpBytes = 8;
  const std::size_t ip = route.endpoint.address.is_v4() ? 20 : 40;
  return wg::kDataOverheadBytes + kUdpBytes + ip;
}

}  // namespace

std::size_t Node::relay_overhead(const Session& hub) const {
  return relay::kHeaderBytes + overhead_to(hub.route.value_or(wg::Route{}));
}

std::size_t Node::mtu_to(const Session& session) const {
  std::size_t path = config_.tun_mtu;
  if (session.agent) {
    path = session.agent->inner_mtu_bytes();
  } else if (session.mtu && session.route) {
    path = path::inner_bytes(session.mtu->confirmed(), overhead_to(*session.route));
  } else if (!session.stock && session.route) {
    path = path::inner_bytes(path::kMtuLeastBytes, overhead_to(*session.route));
  }
  return std::min(path, config_.tun_mtu);
}

// A stock peer's path is not searched: it takes what the device's MTU allows.
bool Node::mtu_is_known(const Session& session) const {
  if (session.stock) return true;
  return session.agent ? session.agent->mtu_is_settled() : session.mtu && session.mtu->is_settled();
}

// The table is built anew when the answer changes.
void Node::note_mtu(Session& session) {
  const std::pair<std::size_t, bool> mtu{mtu_to(session), mtu_is_known(session)};
  if (std::exchange(session.published_mtu, mtu) != mtu) forwarding_changed();
}

// nullopt: never, or not before the session stands: a deadline that cannot be met is none.
std::optional<Instant> Node::mtu_probe_due(const Session& session) const {
  if (!session.mtu || !session.route || !session.is_ready()) return std::nullopt;
  return device_.current_key_pair(session.handle) ? session.mtu->next() : std::nullopt;
}

std::optional<Transmit> Node::poll_mtu_probe(Instant now, Session& session, Bytes slot) {
  if (!mtu_probe_due(session)) return std::nullopt;
  const auto size = session.mtu->take_due(now, session.rtt());
  note_mtu(session);
  if (!size) return std::nullopt;
  const std::size_t inner = path::inner_bytes(*size, overhead_to(*session.route));
  const ByteVector padding(inner - control::kFrameHeaderBytes - control::kPingFixedBytes);
  const control::Ping ping{.id = kMtuPing,
                           .sequence = static_cast<std::uint32_t>(*size),
                           .stamp = static_cast<std::uint64_t>(now.ns),
                           .padding = padding};
  const std::size_t written = control::write_frame(ping, slot.subspan(wg::kDataHeaderBytes, inner));
  return written == 0 ? std::nullopt : seal(now, session, *session.route, written, slot);
}

void Node::handle_mtu_pong(Instant now, Session& session, const control::Ping& ping) {
  if (!session.mtu) return;
  session.mtu->note_answered(now, ping.sequence);
  note_mtu(session);
}

void Node::handle_too_large(Instant now, const Endpoint& to, std::size_t datagram_bytes) {
  const std::size_t mtu = datagram_bytes + (to.address.is_v4() ? 28 : 48);  // IP and UDP headers
  for (auto& [handle, session] : sessions_) {
    if (!session->route) continue;
    const bool relayed = is_relay_path(session->route->path);
    const Session* hub = relayed ? find(hub_of(session->route->path)) : nullptr;
    const auto& endpoint = hub && hub->route ? hub->route->endpoint : session->route->endpoint;
    if (endpoint != to) continue;
    if (session->agent) {
      session->agent->packet_too_large(now, session->route->path, to, mtu);
      run_agent(now, *session);
    } else if (session->mtu) {
      session->mtu->note_too_large(now, mtu);
    }
    note_mtu(*session);
  }
}

}  // namespace ginnel::node
