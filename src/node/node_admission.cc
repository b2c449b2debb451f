// Whose certificate is believed, and who of those is let in:
//
//   1. admit            genuine, not older than what is known, and its name and address are free
//   2. is_allowed       the list of Ids, where there is one
//   3. follow_rotation  a node that we talk to has renewed its session key
#include <algorithm>

#include "node/node.h"

namespace ginnel::node {
namespace {

using control::RefusedCode;

// New pins are written together: a thousand newcomers do not write the file a thousand times.
constexpr Nanoseconds kPinsDelay = 5s;

}  // namespace

Result<PeerRecord, Refusal> Node::admit(Instant now, ConstBytes chain) {
  auto record = trust_.inspect(chain, wall(now));
  if (!record) return record;
  const Peer* known = directory_.find(record->id);
  if (known && known->record.serial > record->serial) {
    if (known->record.session_key == record->session_key) return known->record;
    return Fail(Refusal{RefusedCode::kCertificateInvalid,
                        "its session key was replaced by a later certificate",
                        {}});
  }
  const auto pinned = trust_.pin(*record);
  if (!pinned) return Fail(pinned.error());
  if (*pinned) note_pins(now);
  return record;
}

// Where a lost node cannot be revoked, what it held is free again after a restart: a pin on the
// disk would keep its name for good.
void Node::note_pins(Instant now) {
  if (!identity_.is_by_secret() && !pins_due_) pins_due_ = now + kPinsDelay;
}

void Node::store_due_pins(Instant now) {
  if (!pins_due_ || *pins_due_ > now) return;
  pins_due_.reset();
  store("pins", trust_.pins().write());
}

// --- 2: the list

bool Node::is_allowed(const Id& id) const {
  if (!config_.allow || id == self_.id) return true;
  if (std::ranges::count(*config_.allow, id) > 0) return true;
  const Session* session = find(id);
  return session && is_configured_hub(session->key);
}

// Who is configured as a hub need not be listed as well: without it there is no network.
bool Node::is_configured_hub(const crypto::SessionPublic& key) const {
  return std::ranges::any_of(configured_hubs_, [&](const auto& hub) { return hub.key == key; });
}

std::optional<Refusal> Node::not_allowed(const Session& session, const Id& id) const {
  if (is_configured_hub(session.key) || is_allowed(id)) return std::nullopt;
  return Refusal{RefusedCode::kNotAllowed, id.text() + " is not on the list of allowed Ids", {}};
}

void Node::set_allowed(Instant now, std::optional<std::vector<Id>> allow) {
  if (config_.allow == allow) return;
  config_.allow = std::move(allow);
  std::vector<wg::PeerHandle> ended;
  for (const auto& [handle, session] : sessions_) {
    if (session->id && !is_allowed(*session->id)) ended.push_back(handle);
  }
  for (const wg::PeerHandle handle : ended) {
    Session& session = *find(handle);
    const Id id = *session.id;
    detach(now, id);
    if (session.hub_link) hub_lost(now, session);
    drop_session(handle, {Errc::kDenied, "the peer is not allowed any more", ""});
    notice(Notice::Level::kInfo, "", id.text() + " is not allowed any more; its session is ended");
  }
  forwarding_changed();
}

void Node::report_refusal(Instant now, Session& session, const Refusal& why) {
  if (why.code == RefusedCode::kNotAllowed) {
    return warn_of(now, session, std::string(code_name(Errc::kDenied)), "refused: " + why.text);
  }
  if (!why.clash) return;
  warn_of(now, session, "E_NAME_CLASH",
          why.clash->what + " belongs to " + why.clash->holder.text() + " and is claimed by " +
              why.clash->claimant.text());
}

// --- 3: other keys

// The certificate came in the session of the old key, or in a hub's table; either way it is the
// same Id with a later serial. The key pairs that stand go on.
bool Node::follow_rotation(Instant now, Session& session, const PeerRecord& record) {
  const Peer* known = directory_.find(record.id);
  const bool is_later = session.id == record.id && known && known->record.serial < record.serial;
  if (!is_later || session.stock) return false;
  if (!device_.change_peer_key(now, session.handle, record.session_key)) return false;
  for (ConfiguredHub& hub : configured_hubs_) {
    if (hub.key == session.key) hub.key = record.session_key;
  }
  session.key = record.session_key;
  remember_handshake(now, session);
  return true;
}

// Its other key came with a handshake, before its certificate did: what waits for it goes along.
void Node::take_over(Instant now, Session& old, Session& session) {
  std::ranges::move(old.packets, std::back_inserter(session.packets));
  const bool was_hub = old.hub_link != nullptr;
  const std::vector<Endpoint> endpoints = old.hub_endpoints;
  for (ConfiguredHub& hub : configured_hubs_) {
    if (was_hub && hub.key == old.key) hub.key = session.key;
  }
  if (was_hub) hub_lost(now, old);
  replace_session(old, session);
  if (was_hub) add_hub(now, session.key, endpoints);
}

}  // namespace ginnel::node
