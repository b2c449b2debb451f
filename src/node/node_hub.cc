// The hub's side: who joins, who is attached, what its followers are told, who relays.
#include <algorithm>

#include "base/reader.h"
#include "base/timers.h"
#include "node/node.h"
#include "proto/control/network_info.h"
#include "proto/control/renewal.h"
#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

using control::ControlType;
using control::FrameType;
using control::RefusedCode;

constexpr std::uint8_t kStoredPeersVersion = 1;

std::string_view text_of(RefusedCode code) {
  switch (code) {
    case RefusedCode::kTokenInvalid: return "this hub knows no such token";
    case RefusedCode::kTokenUsed: return "all uses of this token are redeemed";
    case RefusedCode::kTokenExpired: return "the token has expired";
    case RefusedCode::kTokenWithdrawn: return "the token was withdrawn";
    case RefusedCode::kNotAllowed: return "the token is not for this role";
    case RefusedCode::kNameTaken: return "the name belongs to another node";
    case RefusedCode::kNotAHub: return "this node is no hub";
    default: return "the request cannot be fulfilled";
  }
}

RefusedCode code_of(IssueError error) {
  switch (error) {
    case IssueError::kNameTaken: return RefusedCode::kNameTaken;
    case IssueError::kNotAllowed: return RefusedCode::kNotAllowed;
    case IssueError::kRangeFull: return RefusedCode::kInternal;
  }
  return RefusedCode::kInternal;
}

}  // namespace

void Node::start_hub() {
  if (identity_.network_key) {
    issuer_.emplace(identity_.network_key->clone(), config_.overlay_v4);
  } else if (const auto chain = control::parse_chain(identity_.chain);
             chain && chain->leaf.delegation) {
    issuer_.emplace(identity_.network, identity_.identity.clone(), chain->leaf);
  }
  indices_.emplace(kPeersPerHub, rng_.fork("relay"));
  if (!config_.forwarding_threads) relay_.emplace(kPeersPerHub);
  const auto& hub = *config_.hub;
  stun_server_.emplace(stun::BindingServer::Options{
      .address = hub.public_endpoint ? hub.public_endpoint->address : Address{},
      .main_port = hub.public_endpoint ? hub.public_endpoint->port : std::uint16_t{0},
      .probe_port = hub.probe_port});
  stun_server_->set_certificate(self_.chain);
  stun_server_->set_wall(wall_since_, wall_);
}

void Node::handle_join(Instant now, Session& session, ConstBytes body) {
  const auto refuse_join = [&](RefusedCode code) {
    refuse(session, FrameType::kJoin, {code, std::string(text_of(code)), {}});
  };
  if (!config_.hub || !issuer_) return refuse_join(RefusedCode::kNotAHub);
  const auto join = control::parse_join(body);
  const bool genuine = join && join->session == session.key &&
                       control::verify_join(*join, identity_.network, device_.public_key());
  if (!genuine) return refuse_join(RefusedCode::kMalformed);
  const auto terms = tokens_.check(join->secret, join->identity, join->role, wall(now));
  if (!terms) return refuse_join(terms.error());
  if (const ByteVector* again = tokens_.redeemed(join->secret, join->identity)) {
    const auto chain = control::parse_chain(*again);
    if (chain && chain->leaf.session == join->session && chain->leaf.name == join->name) {
      // Still not stored (a full disk, say): tried once more.
      const auto waiting =
          std::erase_if(stowing_, [&](const auto& stow) { return stow.second.chain == *again; });
      if (waiting == 0) return answer_join(session, *again);
      store("tokens", tokens_.write(), {session.handle, *again});
      return;
    }
  }
  const auto chain = issuer_->issue({.role = join->role,
                                     .identity = join->identity,
                                     .session = join->session,
                                     .name = join->name,
                                     .tags = (*terms)->tags,
                                     .reserved = stock_prefixes()},
                                    trust_, wall(now));
  if (!chain) return refuse_join(code_of(chain.error()));
  const auto record = trust_.admit(*chain, wall(now));
  if (!record) return refuse(session, FrameType::kJoin, record.error());
  tokens_.redeem(join->secret, join->identity, *chain);
  // docs/design.md section 4: the redemption is persisted before the answer.
  store("pins", trust_.pins().write());
  store("tokens", tokens_.write(), {session.handle, *chain});
}

void Node::answer_join(Session& session, ConstBytes chain) {
  control::Joined joined;
  joined.chain = chain;
  joined.hub_chain = self_.chain;
  joined.overlay_v4 = config_.overlay_v4;
  joined.network_name = config_.network_name;
  joined.hubs = hub_list();
  control::limit_hubs(joined);
  (void)push_frame(session, joined);
}

std::vector<control::HubEntry> Node::hub_list() const {
  std::vector<control::HubEntry> out;
  if (config_.hub && config_.hub->public_endpoint) {
    out.push_back({device_.public_key(), self_.name, {config_.hub->public_endpoint->text()}});
  }
  for (const auto& [id, attached] : registry_.rows()) {
    if (!id.is_hub() || out.size() >= control::kHubsMax) continue;
    const auto info = control::parse_network_info(attached.network_info);
    if (!info) continue;
    control::HubEntry entry{attached.record.session_key, attached.record.name, {}};
    for (const auto& candidate : info->candidates) {
      if (candidate.kind == control::Candidate::Kind::kPublic) {
        entry.endpoints.push_back(candidate.endpoint.text());
      }
    }
    if (!entry.endpoints.empty()) out.push_back(std::move(entry));
  }
  return out;
}

void Node::handle_register(Instant now, Session& session, const wg::Route& from, ConstBytes body) {
  if (!config_.hub || !session.id || is_relay_path(from.path)) return;
  const auto message = control::parse_register(body);
  const Peer* peer = directory_.find(*session.id);
  if (!message || !peer) return;
  const auto info = control::parse_network_info(message->network_info);
  if (!info || !control::verify_network_info(*info, peer->record.identity_key, identity_.network)) {
    return;
  }
  auto attachment = attachments_.find(*session.id);
  if (attachment == attachments_.end()) {
    const auto free = indices_->allocate();
    if (!free) return;
    const crypto::SipKey fresh = rng_.array<crypto::kSipKeyBytes>();
    attachment = attachments_.emplace(*session.id, std::pair(*free, fresh)).first;
    change_relay(now, {forward::RelayChange::Kind::kAdd,
                       {.index = *free,
                        .key = fresh,
                        .path = from.path,
                        .to = from.endpoint,
                        .quota = {}}});
  }
  const auto& [index, key] = attachment->second;
  const auto before = registry_.position();
  const bool is_new = registry_.find(*session.id) == nullptr;
  close_agent(session);
  set_route(now, session, from);
  const bool attached = registry_.attach(now, peer->record, message->network_info, from.endpoint,
                                         index.value(), message->table);
  if (!attached) return;
  registry_.set_links(*session.id, message->links);
  control::Registered answer{.sequence = message->sequence,
                             .relay_index = index.value(),
                             .relay_key = key,
                             .observed = from.endpoint,
                             .heartbeat_ms = static_cast<std::uint32_t>(
                                 config_.hub_heartbeat / std::chrono::milliseconds(1)),
                             .hub_epoch = epoch_,
                             .probe_port = config_.hub->probe_port};
  (void)push_frame(session, answer);
  if (is_new) {
    store_peers();
    send_hubs(session);
    if (session.id->is_hub()) {
      for (const auto& [id, row] : registry_.rows()) {
        if (Session* other = find(id)) send_hubs(*other);
      }
    }
  }
  if (registry_.position() == before) return pump_follower(now, *session.id);
  pump_followers(now);
}

void Node::send_hubs(Session& session) {
  if (!session.channels) return;
  ByteVector body(16 * 1024);
  Writer w(body);
  control::write_hub_list(w, hub_list());
  if (w.ok()) session.channels->send_control(ControlType::kHubs, w.written());
  wake(session);
}

void Node::handle_heartbeat(Instant now, Session& session, const wg::Route& from, ConstBytes body) {
  const auto heartbeat = control::parse_heartbeat(body);
  if (!heartbeat || !config_.hub || !session.id || !registry_.find(*session.id)) return;
  control::HeartbeatAck ack;
  ack.state = *heartbeat;
  ack.state.table = registry_.position();
  ack.state.revocations_number = trust_.revocations().number;
  ack.state.revocations_hash = trust_.revocations_hash();
  if (!is_relay_path(from.path)) ack.observed = from.endpoint;
  (void)push_frame(session, ack);
  const bool differs = heartbeat->revocations_number != trust_.revocations().number ||
                       heartbeat->revocations_hash != trust_.revocations_hash();
  if (differs && heartbeat->revocations_number <= trust_.revocations().number) {
    send_revocations(session);
  }
  pump_follower(now, *session.id);
}

void Node::send_revocations(Session& session) {
  if (trust_.revocations().number == 0 || !session.channels) return;
  session.channels->send_control(ControlType::kRevocations, control::to_bytes(trust_.revocations()));
  wake(session);
}

void Node::handle_renew(Instant now, Session& session, ConstBytes body) {
  const auto renew = control::parse_renew(body);
  const Peer* peer = session.id ? directory_.find(*session.id) : nullptr;
  if (!renew || !peer || !config_.hub || !issuer_ || !session.channels) return;
  if (!control::verify_renew(*renew, peer->record.identity_key, identity_.network,
                             device_.public_key())) {
    return;
  }
  std::vector<control::Tag> tags;
  for (const auto& [key, value] : peer->record.tags) tags.push_back({key, value});
  std::optional<Address> ipv4;
  for (const Address& address : peer->record.addresses) {
    if (address.is_v4()) ipv4 = address;
  }
  const auto chain = issuer_->issue({.role = peer->record.id.role(),
                                     .identity = peer->record.identity_key,
                                     .session = renew->session,
                                     .name = peer->record.name,
                                     .tags = std::move(tags),
                                     .after_serial = std::max(renew->serial, peer->record.serial),
                                     .ipv4 = ipv4},
                                    trust_, wall(now));
  if (chain) {
    session.channels->send_control(ControlType::kRenewed, *chain);
  } else {
    session.channels->send_control(
        ControlType::kNotRenewed, control::to_bytes(control::NotRenewed{code_of(chain.error())}));
  }
  wake(session);
}

void Node::detach(Instant now, const Id& id) {
  if (!registry_.find(id)) return;
  registry_.detach(id);
  const auto attachment = attachments_.find(id);
  if (attachment != attachments_.end()) {
    change_relay(now, {forward::RelayChange::Kind::kRemove, {.index = attachment->second.first}});
    indices_->release(attachment->second.first);
    attachments_.erase(attachment);
  }
  raise(PeerChanged{id});
  forwarding_changed();
  store_peers();
  pump_followers(now);
}

void Node::pump_followers(Instant now) {
  for (const auto& [id, row] : registry_.rows()) pump_follower(now, id);
}

void Node::pump_follower(Instant now, const Id& id) {
  Session* session = find(id);
  if (!session || !session->channels) return;
  while (const auto message = registry_.next_for(id, now)) {
    if (!session->channels->send_control(message->type, message->body)) break;
    registry_.done(id);
    wake(*session);
  }
}

void Node::expire_silent(Instant now) {
  for (const Id& id : registry_.silent(now - kSilence)) detach(now, id);
}

void Node::publish_revocations() {
  for (const auto& [id, row] : registry_.rows()) {
    if (Session* session = find(id)) send_revocations(*session);
  }
}

// So that a hub that restarts can call its peers: version u8, then per peer session key 32,
// endpoint 18, chain length u16le, chain.
void Node::store_peers() {
  ByteVector out{std::byte{kStoredPeersVersion}};
  for (const auto& [id, row] : registry_.rows()) {
    std::array<std::byte, 52> fixed{};
    Writer w(fixed);
    w.put(row.record.session_key.bytes()).array(row.endpoint.address.bytes).u16be(row.endpoint.port);
    w.u16le(static_cast<std::uint16_t>(row.record.chain.size()));
    out.insert(out.end(), fixed.begin(), fixed.end());
    out.insert(out.end(), row.record.chain.begin(), row.record.chain.end());
  }
  store("peers", std::move(out));
}

void Node::call_stored_peers(Instant now, ConstBytes stored) {
  Reader r(stored);
  if (stored.empty() || r.u8() != kStoredPeersVersion) return;
  while (r.ok() && r.remaining() > 0) {
    const auto key = crypto::SessionPublic::from(r.take(crypto::kKeyBytes));
    const Address address{r.array<16>()};
    const std::uint16_t port = r.u16be();
    const ConstBytes chain = r.take(r.u16le());
    const auto record = admit(now, chain);
    if (!r.ok() || !key || !record || port == 0 || !is_allowed(record->id)) continue;
    directory_.set_record(*record);
    const auto handle = device_.add_peer(now, *key, own_node_config(*key, false));
    if (!handle) continue;
    Session& session = add_session(*handle, *key);
    set_route(now, session, {kSocket, {address, port}});
    device_.begin_handshake(now, *handle);
  }
}

Result<std::string, Error> Node::invite(Instant now, const InviteOptions& options) {
  if (!config_.hub || !issuer_) {
    return Fail(Error{Errc::kNotAHub, "cannot invite: this node is no hub",
                      "run `ginnel invite` on a hub; `ginnel hubs` lists them"});
  }
  if (identity_.is_by_secret()) {
    return Fail(Error{Errc::kSharedSecret,
                      "cannot invite: a shared secret makes this network, and whoever holds it is in",
                      "copy the file of network.secret_file there, name it in ginnel.toml, and run "
                      "`ginnel init --name N`"});
  }
  if (!issuer_->may_issue(options.role)) {
    return Fail(Error{Errc::kNotAHub, "cannot invite a hub: this hub holds no network key",
                      "run it on the hub that made the network"});
  }
  std::vector<control::Tag> tags = options.tags;
  std::ranges::sort(tags);
  if (!control::are_tags(tags)) {
    return Fail(Error{Errc::kUsage,
                      "cannot invite: at most 16 tags, each key once and of 1 to 64 bytes, and 256 "
                      "bytes together",
                      "ginnel invite --help"});
  }
  control::Token token;
  token.role = options.role;
  token.network = identity_.network;
  token.secret = control::TokenSecret::generate(rng_);
  token.expiry_seconds = static_cast<std::uint64_t>((wall(now) + options.ttl).ns / 1'000'000'000);
  if (config_.hub->public_endpoint) {
    token.hubs.push_back({device_.public_key(), {config_.hub->public_endpoint->text()}});
  } else {
    return Fail(Error{Errc::kConfigValue, "cannot invite: nobody knows where this hub is",
                      "set `public` in [hub] of ginnel.toml to ADDR:PORT"});
  }
  const TokenTerms terms{options.role, token.expiry_seconds, options.uses, std::move(tags)};
  if (!tokens_.add(token.secret, terms, wall(now))) {
    return Fail(Error{Errc::kInternal, "too many tokens are open", "wait until some expire"});
  }
  store("tokens", tokens_.write());
  return control::token_text(token);
}

Result<void, Error> Node::may_revoke() const {
  if (identity_.is_by_secret()) {
    return Fail(Error{Errc::kSharedSecret,
                      "cannot revoke: every holder of the shared secret is an equal",
                      "to shut one out, make a new secret with `ginnel key new` and give it to the "
                      "others"});
  }
  if (config_.hub && issuer_) return {};
  return Fail(
      Error{Errc::kNotAHub, "cannot revoke: this node is no hub", "run `ginnel revoke` on a hub"});
}

Result<void, Error> Node::revoke(Instant now, std::string_view peer) {
  if (auto may = may_revoke(); !may) return may;
  const auto id = resolve(peer);
  if (!id) return Fail(id.error());
  const Peer* known = directory_.find(*id);
  if (!known) return Fail(Error{Errc::kUsage, "a hub cannot revoke itself", ""});
  const std::uint64_t serial = known->record.serial;
  adopt_revocations(now, issuer_->revoke(trust_, *id, serial));
  return {};
}

}  // namespace ginnel::node
