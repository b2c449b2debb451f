// Stock WireGuard peers (docs/decisions/0006-stock-wireguard-peers.md): no certificate, no HELLO,
// no frame of ours. They are configured, send IP packets from the prefixes that they are allowed,
// and get those that are for these prefixes.
#include <algorithm>

#include "node/node.h"
#include "proto/control/identity.h"

namespace ginnel::node {
namespace {

// WireGuard's REJECT_AFTER_TIME: a peer that was silent for longer has no key to be heard under.
constexpr Nanoseconds kHeardLately = 180s;

Error stock_refusal(Errc code, const StockPeer& stock, const std::string& why) {
  return {code, "the WireGuard peer " + stock.name + " cannot be let in: " + why,
          "`ginnel peers` shows what is taken"};
}

bool is_host_prefix(const Prefix& prefix) { return prefix.length == 128; }

wg::PeerConfig device_peer(StockPeer& stock) {
  wg::PeerConfig out;
  if (stock.preshared) {
    out.preshared = crypto::PresharedKey(std::span<const std::byte, 32>(*stock.preshared));
    crypto::wipe(*stock.preshared);
  }
  out.persistent_keepalive = std::chrono::seconds(stock.keepalive_seconds);
  return out;
}

}  // namespace

void Node::add_stock_peers(Instant now) {
  for (StockPeer& stock : std::exchange(config_.stock_peers, {})) {
    const auto added = add_stock_peer(now, std::move(stock));
    if (added) continue;
    notice(Notice::Level::kError, std::string(code_name(added.error().code)), added.error().text);
  }
}

Result<void, Error> Node::check_stock_peer(const StockPeer& stock) const {
  const std::string& name = stock.name;
  if (name == self_.name || find_stock_peer(name) || directory_.find_name(name) ||
      directory_.is_ambiguous(name)) {
    return Fail(stock_refusal(Errc::kNameTaken, stock, "another one has this name"));
  }
  if (stock.key == device_.public_key()) {
    return Fail(stock_refusal(Errc::kUsage, stock, "its key is this node's own"));
  }
  if (device_.find_peer(stock.key)) {
    return Fail(stock_refusal(Errc::kExists, stock, "another one has this key"));
  }
  for (const Prefix& prefix : stock.allowed) {
    const bool host_taken = is_host_prefix(prefix) && is_taken(prefix.address);
    if (host_taken || std::ranges::count(stock_prefixes(), prefix) > 0) {
      return Fail(stock_refusal(Errc::kAddressInUse, stock, "another one has " + prefix.text()));
    }
  }
  return {};
}

Result<void, Error> Node::add_stock_peer(Instant now, StockPeer stock) {
  if (auto checked = check_stock_peer(stock); !checked) return checked;
  wg::PeerConfig config = device_peer(stock);
  config.greatest_accepted = handshakes_.greatest_accepted(stock.key);
  const auto handle = device_.add_peer(now, stock.key, std::move(config));
  stock.preshared.reset();
  if (!handle) {
    const bool weak = handle.error() == wg::PeerError::kWeakKey;
    return Fail(stock_refusal(weak ? Errc::kUsage : Errc::kInternal, stock,
                        weak ? "its key is weak" : "there are too many peers"));
  }
  Session& session = add_session(*handle, stock.key);
  session.stock = std::move(stock);
  if (session.stock->endpoint) set_route(now, session, {kSocket, *session.stock->endpoint});
  forwarding_changed();
  return {};
}

Session* Node::find_stock_peer(std::string_view name) const {
  for (const auto& [handle, session] : sessions_) {
    if (session->stock && session->stock->name == name) return session.get();
  }
  return nullptr;
}

std::vector<Prefix> Node::stock_prefixes() const {
  std::vector<Prefix> out;
  for (const auto& [handle, session] : sessions_) {
    if (!session->stock) continue;
    out.insert(out.end(), session->stock->allowed.begin(), session->stock->allowed.end());
  }
  return out;
}

// The most specific allowed prefix (WireGuard section 2, cryptokey routing).
Session* Node::stock_peer_for(const Address& address) const {
  Session* best = nullptr;
  int best_length = -1;
  for (const auto& [handle, session] : sessions_) {
    if (!session->stock) continue;
    for (const Prefix& prefix : session->stock->allowed) {
      if (prefix.length <= best_length || !prefix.contains(address)) continue;
      best = session.get();
      best_length = prefix.length;
    }
  }
  return best;
}

// As forwarding_table() has it: our own addresses are nobody else's, an address in a certificate is
// its node's, and what is left is the stock peer's with the longest prefix.
bool Node::may_send_from(const Session& session, const Address& source) const {
  if (std::ranges::count(self_.addresses, source) > 0) return false;
  if (const Peer* peer = directory_.find_address(source)) return session.id == peer->record.id;
  return session.stock && stock_peer_for(source) == &session;
}

// --- what `ginnel wg export` needs

bool Node::is_taken(const Address& address) const {
  return std::ranges::count(self_.addresses, address) > 0 || directory_.find_address(address) ||
         trust_.pins().holder_of(address) || stock_peer_for(address);
}

// The addresses that a node would get whose identity key has these bytes: spread as those of nodes
// are, and the same for the same key.
Result<std::vector<Address>, Error> Node::free_addresses(const crypto::SessionPublic& key) const {
  const auto as_identity = crypto::IdentityPublic::from(key.bytes());
  const Id id = control::derive_id(identity_.network, Role::kPeer, *as_identity);
  for (std::uint32_t n = 0; n < kAddressCandidatesMax; ++n) {
    const auto v4 = control::overlay_ipv4_candidate(id, config_.overlay_v4, n);
    if (!v4 || is_taken(*v4)) continue;
    return std::vector<Address>{*v4, control::overlay_ipv6(identity_.network, id)};
  }
  return Fail(Error{Errc::kAddressInUse, "no address is free in " + config_.overlay_v4.text(), ""});
}

std::optional<Endpoint> Node::reachable_at() const {
  if (config_.hub && config_.hub->public_endpoint) return config_.hub->public_endpoint;
  for (const auto& [hub, endpoint] : observed_) {  // one of ours: no NAT is in between
    if (std::ranges::count(addresses_, endpoint.address) > 0) return endpoint;
  }
  if (addresses_.empty()) return std::nullopt;
  return Endpoint{addresses_.front(), port_};
}

// --- looking

PeerInfo Node::stock_info(Instant now, const Session& session) const {
  PeerInfo out;
  out.name = session.stock->name;
  for (const Prefix& prefix : session.stock->allowed) {
    if (is_host_prefix(prefix)) out.addresses.push_back(prefix.address.text());
  }
  describe_traffic(now, session, out);
  const auto heard = session.heard();
  if (heard && now - *heard < kHeardLately) out.state = PeerState::kOnline;
  return out;
}

}  // namespace ginnel::node
