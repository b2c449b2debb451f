// Whom this node believes: certificates of its network that are valid now, not revoked, and whose
// name and addresses belong to nobody else (docs/design.md section 4).
//
//   Trust trust(network);
//   auto peer = trust.admit(chain_bytes, wall);        // Result<PeerRecord, Refusal>
//   trust.adopt(revocation_set_bytes, wall);           // then ask is_revoked() of live sessions
//
// Pure; what must outlive the process (pins, revocations) is written and parsed as bytes.
#pragma once
#include "node/peer_record.h"
#include "node/pins.h"
#include "proto/control/chain.h"
#include "proto/control/hello.h"
#include "proto/control/revocation.h"

namespace ginnel::node {

// Why a certificate was not believed; the code travels in REFUSED.
struct Refusal {
  control::RefusedCode code = control::RefusedCode::kMalformed;
  std::string text;
  std::optional<Clash> clash;  // for kNameTaken and kAddressTaken
};

class Trust {
 public:
  explicit Trust(const crypto::NetworkPublic& network) : network_(network) {}

  const crypto::NetworkPublic& network() const { return network_; }

  // Checks signature, dates, revocation and pins, and pins the record's name and addresses.
  // A node that is refused leaves no trace.
  Result<PeerRecord, Refusal> admit(ConstBytes chain, Wall wall);
  // The second half of admit: pins what a record that was inspected names. True: that is news.
  Result<bool, Refusal> pin(const PeerRecord& record);
  // As admit, without pinning or asking the pins: what a certificate says, if it is genuine.
  Result<PeerRecord, Refusal> inspect(ConstBytes chain, Wall wall) const;

  bool is_revoked(const Id& id, std::uint64_t serial) const;
  // Takes a revocation set that supersedes the one held, and releases the pins of those revoked
  // altogether. False: it is not newer. Errors: what is wrong with it; nothing changed.
  Result<bool, Refusal> adopt(ConstBytes revocations, Wall wall);
  const control::RevocationSet& revocations() const { return revocations_; }
  // Number and hash, as heartbeats carry them; zeros while there is no set.
  control::RevocationsHash revocations_hash() const;

  Pins& pins() { return pins_; }
  const Pins& pins() const { return pins_; }

 private:
  crypto::NetworkPublic network_;
  control::RevocationSet revocations_;
  Pins pins_;
};

}  // namespace ginnel::node
