// What a node looks like at a moment: values for `status`, `peers`, `hubs`, `why`.
#pragma once
#include <ginnel/types.h>

#include <string>
#include <vector>

#include "base/address.h"
#include "base/instant.h"
#include "proto/stun/nat_class.h"

namespace ginnel::node {

std::chrono::system_clock::time_point date_of(Wall wall);

struct HubStatus {
  Id id;
  std::string name;
  PeerState state = PeerState::kDown;
  std::optional<Nanoseconds> rtt;
  std::string endpoint;  // empty: none known
  bool wrong_network = false;  // its certificate is of another network
};

struct StatusSnapshot {
  std::string network;
  Id id;
  std::string name;
  std::vector<std::string> addresses;
  std::string session_key;  // base64: WireGuard's public key
  stun::NatClass nat;
  bool udp_blocked = false;  // no hub ever answered, and nobody else is heard
  std::vector<HubStatus> hubs;
  std::vector<PeerInfo> peers;
  Wall certificate_not_after;
  bool by_secret = false;  // a network by shared secret
};

}  // namespace ginnel::node
