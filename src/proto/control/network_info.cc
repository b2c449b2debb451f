#include "proto/control/network_info.h"

#include "base/assert.h"
#include "crypto/sign.h"
#include "proto/control/fields.h"
#include "proto/control/signing.h"

namespace ginnel::control {
namespace {

bool is_kind(std::uint8_t kind) { return kind >= 1 && kind <= 3; }

ByteVector message_of(const NetworkInfo& info, const crypto::NetworkPublic& network) {
  return signed_message("ginnel info v1", {network.bytes(), unsigned_bytes(info)});
}

}  // namespace

Result<NetworkInfo, Drop> parse_network_info(ConstBytes bytes) {
  Reader r(bytes);
  NetworkInfo info;
  info.epoch = r.u64le();
  info.sequence = r.u32le();
  const std::size_t count = r.u8();
  if (count > kCandidatesMax) return refused(r, Drop::kTooMany);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t kind = r.u8();
    const auto endpoint = read_compact_endpoint(r);
    if (!is_kind(kind) || !endpoint) return refused(r);
    info.candidates.push_back({static_cast<Candidate::Kind>(kind), *endpoint});
  }
  info.signature = read_key<crypto::Signature>(r);
  return finish(r, std::move(info));
}

void encode_unsigned(const NetworkInfo& info, Writer& w) {
  GINNEL_ASSERT(info.candidates.size() <= kCandidatesMax);
  w.u64le(info.epoch).u32le(info.sequence);
  w.u8(static_cast<std::uint8_t>(info.candidates.size()));
  for (const Candidate& candidate : info.candidates) {
    w.u8(static_cast<std::uint8_t>(candidate.kind));
    write_compact_endpoint(w, candidate.endpoint);
  }
}

void encode(const NetworkInfo& info, Writer& w) {
  encode_unsigned(info, w);
  w.put(info.signature.bytes());
}

void sign_network_info(NetworkInfo& info, const crypto::IdentitySecret& identity,
                       const crypto::NetworkPublic& network) {
  info.signature = crypto::sign(identity, message_of(info, network));
}

bool verify_network_info(const NetworkInfo& info, const crypto::IdentityPublic& identity,
                         const crypto::NetworkPublic& network) {
  return crypto::verify(identity, message_of(info, network), info.signature);
}

}  // namespace ginnel::control
