// Our own certificate, and the session key in it:
//
//   1. plan_renewal, renew      after a third of its lifetime: by a hub, or by the network key
//   2. pick_address_again       in a network by shared secret, where another node has our address
//   3. rotate_session_key       a new key, certified and stored (adopt_chain) before it is used
//   4. finish_rotation          from then on the device speaks under it, and everybody is told
#include <algorithm>

#include "base/timers.h"
#include "node/gossip/gossip.h"
#include "node/node.h"
#include "proto/control/renewal.h"
#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

// Renewal is tried again this often while it fails.
constexpr Nanoseconds kRenewRetry = 60s;
// A rotation that no hub has certified by then has failed; nothing has changed.
constexpr Nanoseconds kRotationTime = 10s;
// Several hubs may refuse one address at a time; each refusal would take one more.
constexpr Nanoseconds kPickAgain = 2s;

std::optional<Address> ipv4_of(const PeerRecord& record) {
  for (const Address& address : record.addresses) {
    if (address.is_v4()) return address;
  }
  return std::nullopt;
}

}  // namespace

// docs/design.md section 4: certificates renew themselves after a third of their lifetime.
void Node::plan_renewal(Instant now) {
  const auto chain = control::parse_chain(identity_.chain);
  if (!chain) return;
  const Wall issued = Wall{} + std::chrono::seconds(chain->leaf.not_before_seconds);
  const Wall due = issued + std::chrono::seconds(chain->leaf.lifetime_seconds / 3);
  renew_at_ = now + std::max<Nanoseconds>(due - wall(now), 0ns);
}

void Node::renew(Instant now) {
  renew_at_ = now + kRenewRetry;
  if (!identity_.network_key) return void(ask_for_certificate(device_.public_key()));
  const auto chain = certify_ourselves(now, device_.public_key(), ipv4_of(self_));
  if (chain) adopt_chain(now, *chain);
}

// By the network key, which we hold. Without an address: the next one that is free.
Result<ByteVector, IssueError> Node::certify_ourselves(Instant now,
                                                       const crypto::SessionPublic& key,
                                                       std::optional<Address> ipv4) const {
  const Issuer issuer(identity_.network_key->clone(), config_.overlay_v4);
  CertificateRequest request{.role = self_.id.role(),
                             .identity = self_.identity_key,
                             .session = key,
                             .name = self_.name,
                             .after_serial = self_.serial,
                             .ipv4 = ipv4,
                             .reserved = stock_prefixes()};
  for (const auto& [tag, value] : self_.tags) request.tags.push_back({tag, value});
  if (const auto taken = ipv4_of(self_); taken && !ipv4) {
    request.reserved.push_back(Prefix::host(*taken));
  }
  return issuer.issue(request, trust_, wall(now));
}

// False: no hub is online.
bool Node::ask_for_certificate(const crypto::SessionPublic& key) {
  for (auto& [handle, session] : sessions_) {
    if (!session->hub_link || session->hub_link->state() != HubLink::State::kOnline) continue;
    if (!session->channels) continue;
    control::Renew message;
    message.session = key;
    message.serial = self_.serial;
    control::sign_renew(message, identity_.identity, identity_.network, session->key);
    session->channels->send_control(control::ControlType::kRenew, control::to_bytes(message));
    wake(*session);
    return true;
  }
  return false;
}

void Node::adopt_chain(Instant now, ConstBytes chain) {
  const auto record = trust_.inspect(chain, wall(now));
  if (!record || record->id != self_.id || record->serial <= self_.serial) return;
  if (rotation_ && record->session_key == crypto::public_of(rotation_->key)) {
    rotation_->chain = to_vector(chain);
    ByteVector stored = to_vector(rotation_->key.bytes());
    stored.insert(stored.end(), chain.begin(), chain.end());
    rotation_->ticket = store("rotation", std::move(stored));
    return;
  }
  if (record->session_key != device_.public_key()) return;
  store("certificate", to_vector(chain));
  become(now, *record);
}

void Node::become(Instant now, const PeerRecord& record) {
  const bool moved = self_.addresses != record.addresses;
  const bool other_key = self_.session_key != record.session_key;
  self_ = record;
  identity_.chain = record.chain;
  if (trust_.pins().claim(self_)) note_pins(now);
  if (stun_server_) stun_server_->set_certificate(self_.chain);
  if (gossip_) gossip_->set_certified(now, self_);
  plan_renewal(now);
  // Hubs see the new certificate in a HELLO and tell the others by a row. Who must know at once is
  // told so directly: an address is checked with each packet, a key with each handshake.
  for (auto& [handle, session] : sessions_) {
    if (session->stock || !session->has_key_pair) continue;
    if (!session->hub_link && !moved && !other_key) continue;
    session->hello.announce(now);
    if (session->hub_link) session->hub_link->announce(now);
    wake(*session);
  }
  if (moved || other_key) raise(SelfChanged{});
  forwarding_changed();
}

// docs/design.md section 4: "Secret networks: by hash, the later certificate picks again." Later is
// who was seen later: the pins of whom we asked know.
void Node::pick_address_again(Instant now) {
  if (pick_again_ && now < *pick_again_) return;
  pick_again_ = now + kPickAgain;
  const auto chain = certify_ourselves(now, device_.public_key(), std::nullopt);
  if (!chain) {
    return notice(Notice::Level::kError, "E_ADDRESS_IN_USE",
                  "no address is free in " + config_.overlay_v4.text());
  }
  const std::string before = self_.addresses.front().text();
  adopt_chain(now, *chain);
  notice(Notice::Level::kInfo, "",
         before + " is another node's; we have " + self_.addresses.front().text() + " now");
}

// --- 3: another session key

Result<void, Error> Node::rotate_session_key(Instant now, crypto::SessionSecret key) {
  if (rotation_) {
    return Fail(Error{Errc::kExists, "key rotate: a rotation is under way", "ginnel key ls"});
  }
  const crypto::SessionPublic fresh = crypto::public_of(key);
  rotation_.emplace(Rotation{std::move(key), now + kRotationTime, {}, {}, false});
  if (identity_.network_key) {
    const auto chain = certify_ourselves(now, fresh, ipv4_of(self_));
    if (chain) adopt_chain(now, *chain);
    return {};
  }
  if (ask_for_certificate(fresh)) return {};
  rotation_.reset();
  return Fail(Error{Errc::kHubUnreachable, "key rotate: no hub is online to certify the new key",
                    "ginnel hubs"});
}

// A new key that is lost with a crash would leave us without any.
void Node::note_rotation_stored(std::uint64_t ticket) {
  if (rotation_ && rotation_->ticket == ticket) rotation_->is_stored = true;
}

void Node::finish_rotation(Instant now) {
  if (!rotation_ || !rotation_->is_stored) return;
  const auto record = trust_.inspect(rotation_->chain, wall(now));
  if (!record)
    return end_rotation(Error{Errc::kInternal, "key rotate: " + record.error().text, ""});
  const crypto::SessionPublic before = device_.public_key();
  identity_.session = rotation_->key.clone();
  device_.change_key(now, std::move(rotation_->key));
  for (ConfiguredHub& hub : configured_hubs_) {
    if (hub.key == before) hub.key = device_.public_key();
  }
  become(now, *record);
  end_rotation(std::nullopt);
}

void Node::end_rotation(std::optional<Error> error) {
  rotation_.reset();
  raise(KeyRotated{std::move(error)});
}

void Node::expire_rotation(Instant now) {
  if (!rotation_ || rotation_->deadline > now) return;
  end_rotation(Error{Errc::kTimeout, "key rotate: the new key was not certified and stored in time",
                     "ginnel hubs; the old key is still in use"});
}

}  // namespace ginnel::node
