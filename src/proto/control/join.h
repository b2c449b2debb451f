// How a newcomer redeems a token: JOIN to a hub in a provisional session, JOINED back
// (docs/wire/ginnel.md section 6).
//
//   JOIN    0  secret 32    32  identity key 32    64  session key 32    96  role u8
//          97  name text8    …  endpoint count u8, texts    …  signature 64
//   JOINED  0  chain blob16 (node's)  …  chain blob16 (hub's)  …  IPv4 range 4 + 1
//           …  network name text8     …  hub list
#pragma once
#include "base/address.h"
#include "proto/control/frame.h"
#include "proto/control/hub_list.h"
#include "proto/control/token.h"

namespace ginnel::control {

struct Join {
  static constexpr FrameType kType = FrameType::kJoin;
  static constexpr std::size_t kBytesMax = 98 + 63 + 1 + kHubEndpointsMax * 256 + 64;

  TokenSecret secret;
  crypto::IdentityPublic identity;
  crypto::SessionPublic session;  // must be the session's own: the receiver checks
  Role role = Role::kPeer;
  std::string name;
  std::vector<std::string> endpoints;  // of a hub: where it can be reached
  crypto::Signature signature;

  friend bool operator==(const Join&, const Join&) = default;
};
Result<Join, Drop> parse_join(ConstBytes body);
void encode(const Join& join, Writer& w);
void encode_unsigned(const Join& join, Writer& w);

// The hub's session key stands in what is signed, so that a hub cannot redeem the token elsewhere
// in the joiner's name. Sets identity and signature.
void sign_join(Join& join, const crypto::IdentitySecret& identity,
               const crypto::NetworkPublic& network, const crypto::SessionPublic& hub);
[[nodiscard]] bool verify_join(const Join& join, const crypto::NetworkPublic& network,
                               const crypto::SessionPublic& hub);

struct Joined {
  static constexpr FrameType kType = FrameType::kJoined;
  // Hubs that would make the frame longer are left out: they come with HUBS.
  static constexpr std::size_t kBytesWithHubsMax = 1200;

  ConstBytes chain;      // the node's; borrowed
  ConstBytes hub_chain;  // the hub's; borrowed
  Prefix overlay_v4;
  std::string network_name;
  std::vector<HubEntry> hubs;  // at least the answering one
};
Result<Joined, Drop> parse_joined(ConstBytes body);
void encode(const Joined& joined, Writer& w);
// Drops hubs from the end until the frame is within kBytesWithHubsMax or one is left.
void limit_hubs(Joined& joined);

}  // namespace ginnel::control
