#include "node/trust.h"

#include "proto/control/signing.h"

namespace ginnel::node {
namespace {

using control::CertError;
using control::RefusedCode;

Refusal refusal_of(CertError error) {
  switch (error) {
    case CertError::kWrongIssuer:
      return {RefusedCode::kWrongNetwork, "the certificate is of another network", {}};
    case CertError::kBadSignature:
      return {RefusedCode::kCertificateInvalid, "the certificate's signature is wrong", {}};
    case CertError::kNotDelegated:
      return {RefusedCode::kCertificateInvalid, "its issuer may not certify this role", {}};
    case CertError::kOutOfRange:
      return {RefusedCode::kCertificateInvalid, "its address is outside the issuer's range", {}};
    case CertError::kLifetimeTooLong:
      return {RefusedCode::kCertificateInvalid, "its lifetime exceeds what the issuer may give", {}};
    case CertError::kNotYetValid:
      return {RefusedCode::kCertificateExpired, "the certificate is not valid yet: check the clocks", {}};
    case CertError::kExpired:
      return {RefusedCode::kCertificateExpired, "the certificate has expired", {}};
  }
  return {RefusedCode::kCertificateInvalid, "the certificate is invalid", {}};
}

PeerRecord record_of(const control::Chain& chain, const control::Verified& verified,
                     ConstBytes bytes) {
  const control::Certificate& leaf = chain.leaf;
  PeerRecord out;
  out.id = verified.id;
  out.name = leaf.name;
  out.identity_key = leaf.identity;
  out.session_key = leaf.session;
  if (leaf.ipv4) out.addresses.push_back(*leaf.ipv4);
  out.addresses.push_back(verified.overlay_ipv6);
  for (const auto& tag : leaf.tags) out.tags.emplace_back(tag.key, tag.value);
  out.serial = leaf.serial;
  out.not_after = Wall{} + std::chrono::seconds(leaf.not_before_seconds + leaf.lifetime_seconds);
  out.chain = to_vector(bytes);
  return out;
}

}  // namespace

Result<PeerRecord, Refusal> Trust::inspect(ConstBytes bytes, Wall wall) const {
  const auto chain = control::parse_chain(bytes);
  if (!chain) return Fail(Refusal{RefusedCode::kMalformed, "the certificate cannot be read", {}});
  const auto verified = control::verify_chain(*chain, network_, wall);
  if (!verified) return Fail(refusal_of(verified.error()));
  const bool issuer_revoked =
      verified->issuer && chain->issuer && is_revoked(*verified->issuer, chain->issuer->serial);
  if (issuer_revoked || is_revoked(verified->id, chain->leaf.serial)) {
    return Fail(Refusal{RefusedCode::kRevoked, "the certificate was revoked", {}});
  }
  return record_of(*chain, *verified, bytes);
}

Result<PeerRecord, Refusal> Trust::admit(ConstBytes bytes, Wall wall) {
  auto record = inspect(bytes, wall);
  if (!record) return record;
  if (const auto pinned = pin(*record); !pinned) return Fail(pinned.error());
  return record;
}

Result<bool, Refusal> Trust::pin(const PeerRecord& record) {
  if (const auto claimed = pins_.claim(record)) return *claimed;
  auto clash = pins_.clash_of(record);
  const std::string what = clash ? clash->what + " belongs to " + clash->holder.text()
                                 : "no more names can be remembered";
  const auto code =
      clash && clash->is_address ? RefusedCode::kAddressTaken : RefusedCode::kNameTaken;
  return Fail(Refusal{code, what, std::move(clash)});
}

bool Trust::is_revoked(const Id& id, std::uint64_t serial) const {
  return revocations_.revokes(id, serial);
}

Result<bool, Refusal> Trust::adopt(ConstBytes bytes, Wall wall) {
  auto set = control::parse_revocations(bytes);
  if (!set) return Fail(Refusal{RefusedCode::kMalformed, "the revocation set cannot be read", {}});
  const auto genuine = control::verify_revocations(*set, network_, wall);
  if (!genuine) return Fail(refusal_of(genuine.error()));
  if (revocations_.number > 0 && !control::supersedes(*set, revocations_)) return false;
  revocations_ = std::move(*set);
  for (const auto& entry : revocations_.entries) pins_.release(entry.id);
  return true;
}

control::RevocationsHash Trust::revocations_hash() const {
  return revocations_.number == 0 ? control::RevocationsHash{}
                                  : control::revocations_hash(revocations_);
}

}  // namespace ginnel::node
