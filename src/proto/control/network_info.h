// Table D: what a node says of its own addresses, signed so that a hub can pass it on but not forge
// it (docs/wire/ginnel.md section 7).
//
//     0  epoch u64le    8  sequence u32le   12  candidate count u8 (<= 16)
//        per candidate: kind u8, family u8 (4 | 6), address 4 | 16, port u16be
//     …  signature 64
#pragma once
#include <ginnel/result.h>

#include <vector>

#include "base/address.h"
#include "base/writer.h"
#include "crypto/keys.h"
#include "proto/control/drop.h"

namespace ginnel::control {

inline constexpr std::size_t kCandidatesMax = 16;

struct Candidate {
  // LAN addresses (kind 0) go end to end only, never to a hub, so they cannot be written here.
  enum class Kind : std::uint8_t { kServerReflexive = 1, kMapped = 2, kPublic = 3 };

  Kind kind = Kind::kServerReflexive;
  Endpoint endpoint;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct NetworkInfo {
  static constexpr std::size_t kBytesMax = 13 + kCandidatesMax * 20 + crypto::kSignatureBytes;

  std::uint64_t epoch = 0;     // of the node's run
  std::uint32_t sequence = 0;  // grows within an epoch
  std::vector<Candidate> candidates;
  crypto::Signature signature;

  // A receiver keeps the newest per Id; what was captured earlier changes nothing.
  bool newer_than(const NetworkInfo& other) const {
    return epoch != other.epoch ? epoch > other.epoch : sequence > other.sequence;
  }
  friend bool operator==(const NetworkInfo&, const NetworkInfo&) = default;
};

// Errors: kTooMany, kBadField (a LAN address or unknown kind).
Result<NetworkInfo, Drop> parse_network_info(ConstBytes bytes);
void encode(const NetworkInfo& info, Writer& w);
void encode_unsigned(const NetworkInfo& info, Writer& w);

void sign_network_info(NetworkInfo& info, const crypto::IdentitySecret& identity,
                       const crypto::NetworkPublic& network);
[[nodiscard]] bool verify_network_info(const NetworkInfo& info,
                                       const crypto::IdentityPublic& identity,
                                       const crypto::NetworkPublic& network);

}  // namespace ginnel::control
