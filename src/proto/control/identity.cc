#include "proto/control/identity.h"

#include "crypto/hash.h"
#include "proto/control/fields.h"

namespace ginnel::control {
namespace {

constexpr unsigned kIpv4Bits = 32;

std::uint64_t first_u64be(ConstBytes bytes) { return Reader(bytes).u64be(); }

}  // namespace

// RFC 9562 section 5.8: custom_a 48 bits, version 4 bits, custom_b 12 bits, variant 2 bits,
// custom_c 62 bits. The customs hold the first 122 bits of the hash in order.
Id derive_id(const crypto::NetworkPublic& network, Role role,
             const crypto::IdentityPublic& identity) {
  const auto letter = static_cast<std::byte>(role);
  const auto hash = crypto::blake2s_256(
      {bytes_of("ginnel id v1"), network.bytes(), ConstBytes(&letter, 1), identity.bytes()});
  const std::uint64_t high = first_u64be(hash);
  const std::uint64_t low = first_u64be(ConstBytes(hash).subspan(8));
  const std::uint64_t custom_b = high >> 4 & 0xfff;
  const std::uint64_t custom_c = (high & 0xf) << 58 | low >> 6;
  Id::Uuid uuid{};
  Writer w(std::as_writable_bytes(std::span(uuid)));
  w.u64be((high >> 16) << 16 | std::uint64_t{8} << 12 | custom_b);
  w.u64be(std::uint64_t{2} << 62 | custom_c);
  return Id(role, uuid);
}

Address overlay_ipv6(const crypto::NetworkPublic& network, const Id& id) {
  const auto network_hash = crypto::blake2s_256({network.bytes()});
  Reader uuid(bytes_of(id.uuid()));
  const std::uint64_t high = uuid.u64be();
  const std::uint64_t custom_c = uuid.u64be() << 2 >> 2;
  // The 80 bits before version and variant were put in: 48, 12, and the first 20 of custom_c.
  const std::uint64_t first64 = (high >> 16) << 16 | (high & 0xfff) << 4 | custom_c >> 58;
  const auto next16 = static_cast<std::uint16_t>(custom_c >> 42);
  Address out;
  Writer w(std::as_writable_bytes(std::span(out.bytes)));
  w.u8(0xfd).put(ConstBytes(network_hash).first(5)).u64be(first64).u16be(next16);
  return out;
}

std::optional<Address> overlay_ipv4_candidate(const Id& id, const Prefix& range, std::uint32_t n) {
  if (!is_ipv4_range(range)) return std::nullopt;
  const unsigned host_bits = 128u - range.length;
  if (host_bits < 2 || host_bits > kIpv4Bits) return std::nullopt;
  std::array<std::byte, kIdBytes + 4> seed{};
  Writer w(seed);
  write_id(w, id);
  w.u32le(n);
  const auto hash = crypto::blake2s_256({bytes_of("ginnel addr v1"), seed});
  const std::uint32_t host = Reader(hash).u32be() >> (kIpv4Bits - host_bits);
  const auto all_ones = static_cast<std::uint32_t>((std::uint64_t{1} << host_bits) - 1);
  if (host == 0 || host == all_ones) return std::nullopt;
  const std::uint32_t value = range.address.v4_value() | host;
  if ((value & 0xff) == 0 || (value & 0xff) == 0xff) return std::nullopt;
  return Address::v4(value);
}

}  // namespace ginnel::control
