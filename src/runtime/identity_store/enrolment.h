// Who this node is and in which network, as `init` and `join` leave it in state/: the keys in files
// of their own, the rest in enrolment.json.
//
//   auto identity = load_identity(store);   // nullopt: neither init nor join was here
#pragma once
#include <ginnel/id.h>

#include "base/address.h"
#include "crypto/keys.h"
#include "proto/control/hub_list.h"
#include "runtime/identity_store/state_store.h"

namespace ginnel::identity {

struct Enrolment {
  Role role = Role::kPeer;
  std::string name;
  std::string network_name;
  crypto::NetworkPublic network;
  Prefix cidr;                          // of the overlay, IPv4
  ByteVector chain;                     // the certificate with its issuer's, as it goes on the wire
  std::vector<control::HubEntry> hubs;  // as the last JOINED or HUBS said
  bool by_secret = false;               // the network key follows from a shared secret
};

struct Identity {
  crypto::IdentitySecret identity;
  crypto::SessionSecret session;
  // With the hub that made the network. That of a shared secret is never stored: its file has it.
  std::optional<crypto::NetworkSecret> network_key;
  Enrolment enrolment;

  Id id() const;
  // IPv4 first, then IPv6.
  std::vector<std::string> addresses() const;
};

// Errors: kKeyUnreadable (a key or enrolment.json is missing or damaged), kKeyFileMode,
// kPermission.
Result<std::optional<Identity>, Error> load_identity(const StateStore& store);
// The keys first and enrolment.json last: a crash in between leaves a folder without an identity.
Result<void, Error> save_identity(const StateStore& store, const Identity& identity);
// Another session key with its certificate. A crash in between leaves the old pair or the new one.
Result<void, Error> save_rotation(const StateStore& store, const Identity& identity);
// After a renewal, or a new list of hubs.
Result<void, Error> save_enrolment(const StateStore& store, const Enrolment& enrolment);

}  // namespace ginnel::identity
