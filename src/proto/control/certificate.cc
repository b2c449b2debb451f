#include "proto/control/certificate.h"

#include "base/assert.h"
#include "crypto/sign.h"
#include "proto/control/fields.h"
#include "proto/control/signing.h"

namespace ginnel::control {
namespace {

constexpr std::string_view kLabel = "ginnel cert v1";
constexpr std::uint8_t kHasIpv4 = 1;
constexpr std::uint8_t kHasDelegation = 2;
constexpr std::uint8_t kFlagsMask = kHasIpv4 | kHasDelegation;

KeyHash hash_of(ConstBytes key) {
  const auto hash = crypto::blake2s_256({bytes_of("ginnel key v1"), key});
  return Reader(hash).array<8>();
}

std::uint8_t flags_of(const Certificate& c) {
  return static_cast<std::uint8_t>((c.ipv4 ? kHasIpv4 : 0) | (c.delegation ? kHasDelegation : 0));
}

Result<std::vector<Tag>, Drop> read_tags(Reader& r) {
  const std::size_t count = r.u8();
  if (count > kTagsMax) return refused(r, Drop::kTooMany);
  std::vector<Tag> tags;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Tag tag;
    tag.key = text_of(read_text8(r));
    tag.value = text_of(read_text8(r));
    if (!r.ok()) return Fail(Drop::kTooShort);
    if (tag.key.empty() || tag.key.size() > kTagKeyBytesMax) return Fail(Drop::kBadField);
    if (!tags.empty() && tag.key <= tags.back().key) return Fail(Drop::kBadField);
    bytes += 2 + tag.key.size() + tag.value.size();
    if (bytes > kTagsBytesMax) return Fail(Drop::kTooLong);
    tags.push_back(std::move(tag));
  }
  return tags;
}

std::optional<Delegation> read_delegation(Reader& r) {
  Delegation out;
  out.powers = r.u8();
  const auto range = read_ipv4_range(r);
  out.lifetime_seconds = r.u32le();
  if (!range || (out.powers & ~Delegation::kPowersMask) != 0) return std::nullopt;
  out.range = *range;
  return out;
}

void write_delegation(Writer& w, const Delegation& delegation) {
  w.u8(delegation.powers);
  write_ipv4_range(w, delegation.range);
  w.u32le(delegation.lifetime_seconds);
}

void read_fixed_part(Reader& r, Certificate& c) {
  c.identity = read_key<crypto::IdentityPublic>(r);
  c.session = read_key<crypto::SessionPublic>(r);
  c.serial = r.u64le();
  c.not_before_seconds = r.u64le();
  c.lifetime_seconds = r.u32le();
  c.issuer = r.array<8>();
  c.name = text_of(read_text8(r));
}

ByteVector message_of(const Certificate& c, const crypto::NetworkPublic& network) {
  return signed_message(kLabel, {network.bytes(), unsigned_bytes(c)});
}

}  // namespace

bool are_tags(std::span<const Tag> tags) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (tags[i].key.empty() || tags[i].key.size() > kTagKeyBytesMax) return false;
    if (i > 0 && tags[i].key <= tags[i - 1].key) return false;
    bytes += 2 + tags[i].key.size() + tags[i].value.size();
  }
  return tags.size() <= kTagsMax && bytes <= kTagsBytesMax;
}

KeyHash key_hash(const crypto::NetworkPublic& key) { return hash_of(key.bytes()); }
KeyHash key_hash(const crypto::IdentityPublic& key) { return hash_of(key.bytes()); }

Result<Certificate, Drop> parse_certificate(ConstBytes bytes) {
  if (bytes.size() > Certificate::kBytesMax) return Fail(Drop::kTooLong);
  Reader r(bytes);
  if (r.u8() != kCertificateVersion) return refused(r, Drop::kBadVersion);
  Certificate c;
  const auto role = read_role(r);
  const std::uint8_t flags = r.u8();
  if (!role || (flags & ~kFlagsMask) != 0) return refused(r);
  c.role = *role;
  read_fixed_part(r, c);
  if (!is_name(c.name)) return refused(r);
  if (flags & kHasIpv4) c.ipv4 = Address::from_wire(r.take(4));
  auto tags = read_tags(r);
  if (!tags) return Fail(tags.error());
  c.tags = *std::move(tags);
  if (flags & kHasDelegation) {
    c.delegation = read_delegation(r);
    if (!c.delegation) return refused(r);
  }
  c.signature = read_key<crypto::Signature>(r);
  return finish(r, std::move(c));
}

void encode_unsigned(const Certificate& c, Writer& w) {
  GINNEL_ASSERT(c.tags.size() <= kTagsMax);
  w.u8(kCertificateVersion).u8(static_cast<std::uint8_t>(c.role)).u8(flags_of(c));
  w.put(c.identity.bytes()).put(c.session.bytes());
  w.u64le(c.serial).u64le(c.not_before_seconds).u32le(c.lifetime_seconds).array(c.issuer);
  write_text8(w, c.name);
  if (c.ipv4) {
    GINNEL_ASSERT(c.ipv4->is_v4());
    w.put(c.ipv4->wire());
  }
  w.u8(static_cast<std::uint8_t>(c.tags.size()));
  for (const Tag& tag : c.tags) {
    write_text8(w, tag.key);
    write_text8(w, tag.value);
  }
  if (c.delegation) write_delegation(w, *c.delegation);
}

void encode(const Certificate& c, Writer& w) {
  encode_unsigned(c, w);
  w.put(c.signature.bytes());
}

void sign_certificate(Certificate& c, const crypto::NetworkSecret& network_key) {
  const auto network = public_of(network_key);
  c.issuer = key_hash(network);
  c.signature = crypto::sign(network_key, message_of(c, network));
}

void sign_certificate(Certificate& c, const crypto::NetworkPublic& network,
                      const crypto::IdentitySecret& hub) {
  c.issuer = key_hash(public_of(hub));
  c.signature = crypto::sign(hub, message_of(c, network));
}

bool signed_by(const Certificate& c, const crypto::NetworkPublic& network_key) {
  return crypto::verify(network_key, message_of(c, network_key), c.signature);
}

bool signed_by(const Certificate& c, const crypto::NetworkPublic& network,
               const crypto::IdentityPublic& hub) {
  return crypto::verify(hub, message_of(c, network), c.signature);
}

crypto::Digest certificate_hash(ConstBytes certificate_bytes) {
  return crypto::blake2s_256({bytes_of("ginnel cert hash v1"), certificate_bytes});
}

}  // namespace ginnel::control
