#include "proto/control/chain.h"

#include "proto/control/fields.h"
#include "proto/control/identity.h"
#include "proto/control/signing.h"

namespace ginnel::control {
namespace {

using CertCheck = Result<void, CertError>;

CertCheck check_dates(const Certificate& c, Wall wall) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::uint64_t now = wall.ns < 0 ? 0 : static_cast<std::uint64_t>(wall.ns / kSecond);
  if (c.not_before_seconds > now + static_cast<std::uint64_t>(kClockGrace.count())) {
    return Fail(CertError::kNotYetValid);
  }
  if (now >= c.not_before_seconds && now - c.not_before_seconds >= c.lifetime_seconds) {
    return Fail(CertError::kExpired);
  }
  return {};
}

CertCheck check_issued_by_network(const Certificate& c, const crypto::NetworkPublic& network) {
  if (c.issuer != key_hash(network)) return Fail(CertError::kWrongIssuer);
  if (!signed_by(c, network)) return Fail(CertError::kBadSignature);
  return {};
}

CertCheck check_limits(const Certificate& leaf, const Certificate& issuer) {
  if (issuer.role != Role::kHub || !issuer.delegation) return Fail(CertError::kNotDelegated);
  if (!issuer.delegation->may_certify(leaf.role)) return Fail(CertError::kNotDelegated);
  if (leaf.delegation) return Fail(CertError::kNotDelegated);
  if (leaf.ipv4 && !issuer.delegation->range.contains(*leaf.ipv4)) {
    return Fail(CertError::kOutOfRange);
  }
  if (leaf.lifetime_seconds > issuer.delegation->lifetime_seconds) {
    return Fail(CertError::kLifetimeTooLong);
  }
  return {};
}

CertCheck check_issued_by_hub(const Chain& chain, const crypto::NetworkPublic& network) {
  const Certificate& issuer = *chain.issuer;
  if (chain.leaf.issuer != key_hash(issuer.identity)) return Fail(CertError::kWrongIssuer);
  if (const auto ok = check_issued_by_network(issuer, network); !ok) return ok;
  if (!signed_by(chain.leaf, network, issuer.identity)) return Fail(CertError::kBadSignature);
  return check_limits(chain.leaf, issuer);
}

}  // namespace

Result<Chain, Drop> parse_chain(ConstBytes bytes) {
  Reader r(bytes);
  const std::size_t count = r.u8();
  if (count == 0) return refused(r);
  if (count > 2) return Fail(Drop::kTooMany);
  Chain chain;
  for (std::size_t i = 0; i < count; ++i) {
    const ConstBytes blob = read_blob16(r);
    if (!r.ok()) return Fail(Drop::kTooShort);
    auto certificate = parse_certificate(blob);
    if (!certificate) return Fail(certificate.error());
    if (i == 0) {
      chain.leaf = *std::move(certificate);
    } else {
      chain.issuer = *std::move(certificate);
    }
  }
  return finish(r, std::move(chain));
}

void encode(const Chain& chain, Writer& w) {
  w.u8(chain.issuer ? 2 : 1);
  write_blob16(w, to_bytes(chain.leaf));
  if (chain.issuer) write_blob16(w, to_bytes(*chain.issuer));
}

Result<Verified, CertError> verify_chain(const Chain& chain, const crypto::NetworkPublic& network,
                                         Wall wall) {
  const auto issued = chain.issuer ? check_issued_by_hub(chain, network)
                                   : check_issued_by_network(chain.leaf, network);
  if (!issued) return Fail(issued.error());
  if (const auto ok = check_dates(chain.leaf, wall); !ok) return Fail(ok.error());
  Verified out;
  out.id = derive_id(network, chain.leaf.role, chain.leaf.identity);
  out.overlay_ipv6 = overlay_ipv6(network, out.id);
  if (!chain.issuer) return out;
  if (const auto ok = check_dates(*chain.issuer, wall); !ok) return Fail(ok.error());
  out.issuer = derive_id(network, chain.issuer->role, chain.issuer->identity);
  return out;
}

}  // namespace ginnel::control
