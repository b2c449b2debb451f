#include "node/node.h"

#include <algorithm>

#include "base/assert.h"
#include "base/timers.h"
#include "node/gossip/gossip.h"

namespace ginnel::node {
namespace {

wg::Config device_config(const Config& config, const HandshakeMemory& memory) {
  wg::Config out;
  out.last_timestamp_sent = memory.last_sent();
  out.rekey_after_time = config.rekey_after;
  if (config.forwarding_threads) out.sweep_interval = 1s;
  if (config.rekey_after < out.reject_after_time / 2) {
    out.reject_after_time = std::max(3 * config.rekey_after / 2, config.rekey_after + 10s);
  }
  return out;
}

// The chain was verified when it was issued; only our own bytes come here.
PeerRecord own_record(const OwnIdentity& identity, const Trust& trust, Wall wall) {
  auto record = trust.inspect(identity.chain, wall);
  if (record) return *std::move(record);
  // Expired, or the clock is wrong: we still are who we are, and renewal or the hub will tell.
  PeerRecord out;
  out.id = identity.id();
  out.identity_key = crypto::public_of(identity.identity);
  out.session_key = crypto::public_of(identity.session);
  if (const auto chain = control::parse_chain(identity.chain)) {
    out.name = chain->leaf.name;
    if (chain->leaf.ipv4) out.addresses.push_back(*chain->leaf.ipv4);
    out.serial = chain->leaf.serial;
  }
  out.addresses.push_back(control::overlay_ipv6(identity.network, out.id));
  out.chain = identity.chain;
  return out;
}

}  // namespace

bool is_relay_path(PathId path) { return path.value() >= kRelayPathBase; }

Node::Node(Config config, OwnIdentity identity, const Stored& stored, std::uint64_t epoch, Rng rng,
           Instant now, Wall wall)
    : config_(std::move(config)),
      identity_(std::move(identity)),
      epoch_(epoch),
      rng_(std::move(rng)),
      wall_(wall),
      wall_since_(now),
      trust_(identity_.network),
      handshakes_(HandshakeMemory::parse(stored.handshakes).value_or(HandshakeMemory())),
      device_(device_config(config_, handshakes_), identity_.session.clone(), rng_.fork("wg"), now,
              wall),
      probe_budget_({.probes_per_second = config_.probes_per_second}),
      nat_(rng_.fork("nat")),
      inquiry_(rng_.fork("inquiry")),
      registry_(epoch) {
  if (auto pins = Pins::parse(stored.pins)) trust_.pins() = *std::move(pins);
  stopped_ = config_.stop_without_hubs && !config_.hub;
  const bool has_set = !stored.revocations.empty() && !identity_.is_by_secret();
  if (has_set) (void)trust_.adopt(stored.revocations, wall);
  self_ = own_record(identity_, trust_, wall);
  (void)trust_.pins().claim(self_);
  start_gossip(now, stored.tags);
  if (config_.hub) {
    if (auto tokens = TokenBook::parse(stored.tokens)) tokens_ = *std::move(tokens);
    start_hub();
    call_stored_peers(now, stored.peers);
  }
  add_configured_hubs(now);
  add_stock_peers(now);
  plan_renewal(now);
}

Node::~Node() = default;

void Node::set_wall(Instant now, Wall wall) {
  wall_ = wall;
  wall_since_ = now;
  device_.set_wall(now, wall);
  if (gossip_) gossip_->agent().set_clock(now, wall);
  if (stun_server_) stun_server_->set_wall(now, wall);
}

void Node::change_settings(const Settings& settings) {
  config_.punch = settings.punch;
  config_.probes_per_second = settings.probes_per_second;
  config_.resolve_timeout = settings.resolve_timeout;
  config_.retain = settings.retain;
  probe_budget_.change({.probes_per_second = settings.probes_per_second});
}

void Node::notice(Notice::Level level, std::string code, std::string text) {
  raise(Notice{level, std::move(code), std::move(text)});
}

void Node::warn_of(Instant now, Session& session, std::string code, std::string text) {
  if (session.next_notice && now < *session.next_notice) return;
  session.next_notice = now + kNoticeInterval;
  notice(Notice::Level::kWarning, std::move(code), std::move(text));
}

std::uint64_t Node::store(std::string name, ByteVector bytes, Stow stow) {
  const std::uint64_t ticket = next_ticket_++;
  if (stow.peer.value() != 0) stowing_.emplace(ticket, std::move(stow));
  raise(StoreRequest{std::move(name), std::move(bytes), ticket});
  return ticket;
}

void Node::handle_stored(std::uint64_t ticket) {
  note_rotation_stored(ticket);
  const auto it = stowing_.find(ticket);
  if (it == stowing_.end()) return;
  const Stow stow = std::move(it->second);
  stowing_.erase(it);
  if (Session* session = find(stow.peer)) answer_join(*session, stow.chain);
}

void Node::handle_timeout(Instant now) {
  device_.handle_timeout(now);
  handle_device_events(now);
  for (auto& [handle, session] : sessions_) {
    if (session->channels) {
      session->channels->handle_timeout(now);
      handle_channel_events(now, *session);
    }
    if (session->hub_link) run_hub_link(now, *session);
    // A newcomer is not called: it may be a stranger.
    const bool is_known = session->hub_link || session->id;
    if (session->has_key_pair && session->hello.take_unheard(now) && is_known) {
      device_.begin_handshake(now, handle);
    }
    if (session->agent) {
      session->agent->handle_timeout(now);
      run_agent(now, *session);
    }
    if (wants_to_send(now, *session)) wake(*session);
  }
  if (config_.forwarding_threads) sweep_traffic(now);
  if (config_.hub) expire_silent(now);
  look_for_absent(now);
  expire_messages(now);
  run_gossip(now);
  run_host(now);
  if (renew_at_ && *renew_at_ <= now) renew(now);
}

std::optional<Instant> Node::next_timeout() const {
  std::optional<Instant> out = earlier(device_.next_timeout(), earlier(renew_at_, next_sweep_));
  for (const auto& [handle, session] : sessions_) {
    if (is_stopped(*session)) continue;  // what is due then has to wait for a hub
    if (session->channels) out = earlier(out, session->channels->next_timeout());
    if (session->hub_link) out = earlier(out, session->hub_link->next_timeout());
    if (session->agent) out = earlier(out, session->agent->next_timeout());
    out = earlier(out, mtu_probe_due(*session));
    out = earlier(out, session->hub_retry);
    out = earlier(out, session->absence.next_look());
    if (session->has_key_pair && !session->stock) out = earlier(out, session->hello.next_timeout());
  }
  if (gossip_) out = earlier(out, gossip_->next_timeout());
  for (const auto& [id, row] : registry_.rows()) out = earlier(out, row.heard + kSilence);
  for (const auto& [id, send] : acked_) out = earlier(out, send.deadline);
  for (const auto& [order, message] : waiting_) out = earlier(out, message.deadline);
  return earlier(out, next_host_timeout());
}

std::optional<Event> Node::poll_event() {
  if (events_.empty()) return std::nullopt;
  Event out = std::move(events_.front());
  events_.pop_front();
  return out;
}

Result<Id, Error> Node::resolve(std::string_view peer) const {
  if (const Peer* found = directory_.find_name(peer)) {
    if (is_allowed(found->record.id)) return found->record.id;
    return Fail(Error{Errc::kDenied, std::string(peer) + " is not on this node's network.allow",
                      "add " + found->record.id.text() + " to it, then ginnel config reload"});
  }
  if (peer == self_.name || Id::parse(peer) == self_.id) return self_.id;
  const std::string who(peer);
  if (find_stock_peer(peer)) {
    return Fail(Error{Errc::kUnknownPeer,
                      who + " is a stock WireGuard peer: it has no Id and takes IP packets only",
                      "the system's ping reaches its address, which `ginnel peers` shows"});
  }
  if (directory_.is_ambiguous(peer)) {
    return Fail(Error{Errc::kUnknownPeer, "two peers are called " + who,
                      "name one of them by its Id; `ginnel peers` lists them"});
  }
  const std::string nobody = Id::parse(peer) ? "nobody here has the Id " : "nobody here is called ";
  return Fail(Error{Errc::kUnknownPeer, nobody + who, "`ginnel peers` lists who is known"});
}

void Node::leave(Instant now) {
  for (auto& [handle, session] : sessions_) {
    if (!session->is_ready()) continue;
    (void)push_frame(*session, control::Goodbye{});
  }
  handshakes_.note_sent(now, device_.last_timestamp_sent());
  if (handshakes_.take_all()) store("handshakes", handshakes_.write());
}

}  // namespace ginnel::node
