#include "proto/control/revocation.h"

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "crypto/sign.h"
#include "proto/control/fields.h"
#include "proto/control/signing.h"

namespace ginnel::control {
namespace {

constexpr std::uint8_t kSetVersion = 1;
constexpr std::string_view kLabel = "ginnel revocations v1";

Result<std::vector<Revocation>, Drop> read_entries(Reader& r) {
  const std::size_t count = r.u32le();
  if (count > kRevocationsMax) return refused(r, Drop::kTooMany);
  std::vector<Revocation> entries;
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = read_id(r);
    const std::uint64_t serial = r.u64le();
    if (!id || !r.ok()) return refused(r);
    if (!entries.empty() && *id <= entries.back().id) return Fail(Drop::kBadField);
    entries.push_back({*id, serial});
  }
  return entries;
}

ByteVector message_of(const RevocationSet& set, const crypto::NetworkPublic& network) {
  return signed_message(kLabel, {network.bytes(), unsigned_bytes(set)});
}

crypto::Digest set_hash(const RevocationSet& set) {
  return crypto::blake2s_256({bytes_of("ginnel revset v1"), to_bytes(set)});
}

}  // namespace

bool RevocationSet::revokes(const Id& id, std::uint64_t serial_number) const {
  const auto it = std::ranges::lower_bound(entries, id, {}, &Revocation::id);
  return it != entries.end() && it->id == id && serial_number <= it->serial;
}

Result<RevocationSet, Drop> parse_revocations(ConstBytes bytes) {
  Reader r(bytes);
  if (r.u8() != kSetVersion) return refused(r, Drop::kBadVersion);
  RevocationSet set;
  set.number = r.u64le();
  auto entries = read_entries(r);
  if (!entries) return Fail(entries.error());
  set.entries = *std::move(entries);
  if (const ConstBytes signer = read_blob16(r); !signer.empty()) {
    auto certificate = parse_certificate(signer);
    if (!certificate) return Fail(certificate.error());
    set.signer = *std::move(certificate);
  }
  set.signature = read_key<crypto::Signature>(r);
  return finish(r, std::move(set));
}

void encode_unsigned(const RevocationSet& set, Writer& w) {
  GINNEL_ASSERT(set.entries.size() <= kRevocationsMax);
  w.u8(kSetVersion).u64le(set.number).u32le(static_cast<std::uint32_t>(set.entries.size()));
  for (const Revocation& entry : set.entries) {
    write_id(w, entry.id);
    w.u64le(entry.serial);
  }
  write_blob16(w, set.signer ? to_bytes(*set.signer) : ByteVector{});
}

void encode(const RevocationSet& set, Writer& w) {
  encode_unsigned(set, w);
  w.put(set.signature.bytes());
}

void sign_revocations(RevocationSet& set, const crypto::NetworkSecret& network_key) {
  set.signer.reset();
  set.signature = crypto::sign(network_key, message_of(set, public_of(network_key)));
}

void sign_revocations(RevocationSet& set, const crypto::NetworkPublic& network,
                      const crypto::IdentitySecret& hub) {
  GINNEL_ASSERT(set.signer.has_value());
  set.signature = crypto::sign(hub, message_of(set, network));
}

Result<void, CertError> verify_revocations(const RevocationSet& set,
                                           const crypto::NetworkPublic& network, Wall wall) {
  const ByteVector message = message_of(set, network);
  if (!set.signer) {
    if (!crypto::verify(network, message, set.signature)) return Fail(CertError::kBadSignature);
    return {};
  }
  const Certificate& signer = *set.signer;
  if (const auto ok = verify_chain({signer, std::nullopt}, network, wall); !ok) {
    return Fail(ok.error());
  }
  if (signer.role != Role::kHub || !signer.delegation ||
      !signer.delegation->may(Delegation::kRevoke)) {
    return Fail(CertError::kNotDelegated);
  }
  if (!crypto::verify(signer.identity, message, set.signature)) {
    return Fail(CertError::kBadSignature);
  }
  return {};
}

Result<RevocationsRequest, Drop> parse_revocations_request(ConstBytes body) {
  Reader r(body);
  const RevocationsRequest out{r.u64le()};
  return finish(r, out);
}

void encode(const RevocationsRequest& message, Writer& w) { w.u64le(message.held); }

RevocationsHash revocations_hash(const RevocationSet& set) {
  return Reader(set_hash(set)).array<8>();
}

bool supersedes(const RevocationSet& candidate, const RevocationSet& held) {
  if (candidate.number != held.number) return candidate.number > held.number;
  return set_hash(candidate) > set_hash(held);
}

RevocationSet united(const RevocationSet& a, const RevocationSet& b) {
  std::map<Id, std::uint64_t> serials;
  for (const RevocationSet* set : {&a, &b}) {
    for (const Revocation& entry : set->entries) {
      auto& serial = serials[entry.id];
      serial = std::max(serial, entry.serial);
    }
  }
  RevocationSet out;
  out.number = std::max(a.number, b.number) + 1;
  for (const auto& [id, serial] : serials) out.entries.push_back({id, serial});
  return out;
}

}  // namespace ginnel::control
