// A fresh certificate from a hub: RENEW, RENEWED, NOT_RENEWED (docs/wire/ginnel.md section 7).
//
//   RENEW        0  session key 32    32  serial held u64le    40  signature 64
//   RENEWED      a chain, to the end
//   NOT_RENEWED  0  code u16le (as REFUSED)
#pragma once
#include "proto/control/chain.h"
#include "proto/control/control_message.h"
#include "proto/control/hello.h"

namespace ginnel::control {

struct Renew {
  static constexpr ControlType kControlType = ControlType::kRenew;
  static constexpr std::size_t kBytesMax = 104;

  crypto::SessionPublic session;  // may be a new one (`key rotate`)
  std::uint64_t serial = 0;       // of the certificate held
  crypto::Signature signature;    // by the identity key
  friend bool operator==(const Renew&, const Renew&) = default;
};
Result<Renew, Drop> parse_renew(ConstBytes body);
void encode(const Renew& renew, Writer& w);
void encode_unsigned(const Renew& renew, Writer& w);

void sign_renew(Renew& renew, const crypto::IdentitySecret& identity,
                const crypto::NetworkPublic& network, const crypto::SessionPublic& hub);
[[nodiscard]] bool verify_renew(const Renew& renew, const crypto::IdentityPublic& identity,
                                const crypto::NetworkPublic& network,
                                const crypto::SessionPublic& hub);

struct Renewed {
  static constexpr ControlType kControlType = ControlType::kRenewed;
  static constexpr std::size_t kBytesMax = Chain::kBytesMax;

  Chain chain;
};
Result<Renewed, Drop> parse_renewed(ConstBytes body);
void encode(const Renewed& renewed, Writer& w);

struct NotRenewed {
  static constexpr ControlType kControlType = ControlType::kNotRenewed;
  static constexpr std::size_t kBytesMax = 2;

  RefusedCode code = RefusedCode::kInternal;
  friend bool operator==(const NotRenewed&, const NotRenewed&) = default;
};
Result<NotRenewed, Drop> parse_not_renewed(ConstBytes body);
void encode(const NotRenewed& message, Writer& w);

}  // namespace ginnel::control
