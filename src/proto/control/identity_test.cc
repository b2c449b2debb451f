#include "proto/control/identity.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/hash.h"
#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

// One bit of a byte string, the first of each byte being its highest.
bool bit(ConstBytes bytes, std::size_t i) {
  return (std::to_integer<int>(bytes[i / 8]) >> (7 - i % 8) & 1) != 0;
}

// RFC 9562 section 5.8: bits 48..51 are the version, 64..65 the variant, all others ours.
TEST(Identity, UuidHoldsTheFirst122BitsOfTheHashInOrder) {
  const auto letter = std::byte{'C'};
  const auto hash =
      crypto::blake2s_256({bytes_of("ginnel id v1"), network().bytes(), ConstBytes(&letter, 1),
                           public_of(node_identity()).bytes()});
  const Id id = node_id();
  const ConstBytes uuid = bytes_of(id.uuid());
  std::size_t from = 0;
  for (std::size_t i = 0; i < 128; ++i) {
    if ((i >= 48 && i < 52) || i == 64 || i == 65) continue;
    EXPECT_EQ(bit(uuid, i), bit(hash, from++)) << i;
  }
  EXPECT_EQ(from, 122u);
  EXPECT_EQ(std::to_integer<int>(uuid[6]) >> 4, 8);
  EXPECT_EQ(std::to_integer<int>(uuid[8]) >> 6, 2);
}

TEST(Identity, DependsOnNetworkRoleAndKey) {
  const auto key = public_of(node_identity());
  const auto other_network = public_of(secret_of<crypto::NetworkSecret>(0x99));
  const Id id = derive_id(network(), Role::kPeer, key);
  EXPECT_NE(id.uuid(), derive_id(other_network, Role::kPeer, key).uuid());
  EXPECT_NE(id.uuid(), derive_id(network(), Role::kHub, key).uuid());
  EXPECT_NE(id.uuid(), derive_id(network(), Role::kPeer, public_of(hub_identity())).uuid());
  EXPECT_EQ(id.role(), Role::kPeer);
}

// Section 5: fd, 40 bits of the network's hash, the first 80 bits of the Id's hash.
TEST(OverlayIpv6, FollowsFromNetworkAndId) {
  const auto network_hash = crypto::blake2s_256({network().bytes()});
  const auto letter = std::byte{'C'};
  const auto id_hash =
      crypto::blake2s_256({bytes_of("ginnel id v1"), network().bytes(), ConstBytes(&letter, 1),
                           public_of(node_identity()).bytes()});
  const auto address = overlay_ipv6(network(), node_id());
  const ConstBytes bytes = bytes_of(address.bytes);
  EXPECT_EQ(bytes[0], std::byte{0xfd});
  EXPECT_EQ(to_hex(bytes.subspan(1, 5)), to_hex(ConstBytes(network_hash).first(5)));
  EXPECT_EQ(to_hex(bytes.subspan(6)), to_hex(ConstBytes(id_hash).first(10)));
}

TEST(OverlayIpv4, CandidatesLieInTheRangeAndDiffer) {
  const auto range = *Prefix::parse("10.66.0.0/16");
  std::set<Address> seen;
  for (std::uint32_t n = 0; n < 100; ++n) {
    const auto address = overlay_ipv4_candidate(node_id(), range, n);
    if (!address) continue;
    EXPECT_TRUE(range.contains(*address)) << address->text();
    seen.insert(*address);
  }
  EXPECT_GT(seen.size(), 90u);
}

TEST(OverlayIpv4, SkipsNetworkAndBroadcastAddresses) {
  const auto range = *Prefix::parse("10.66.0.0/30");
  std::set<Address> seen;
  int skipped = 0;
  for (std::uint32_t n = 0; n < 100; ++n) {
    const auto address = overlay_ipv4_candidate(node_id(), range, n);
    address ? void(seen.insert(*address)) : void(++skipped);
  }
  EXPECT_EQ(seen, (std::set{Address::v4(10, 66, 0, 1), Address::v4(10, 66, 0, 2)}));
  EXPECT_GT(skipped, 20);
}

TEST(OverlayIpv4, NeverEndsIn0Or255) {
  const auto range = *Prefix::parse("10.0.0.0/8");
  for (std::uint32_t n = 0; n < 2000; ++n) {
    const auto address = overlay_ipv4_candidate(node_id(), range, n);
    if (!address) continue;
    EXPECT_NE(address->v4_value() & 0xff, 0u);
    EXPECT_NE(address->v4_value() & 0xff, 255u);
  }
}

TEST(OverlayIpv4, HasNoneInRangesWithoutRoomOrOfIpv6) {
  for (const char* text : {"10.66.0.0/31", "10.66.0.1/32", "fd00::/8"}) {
    EXPECT_FALSE(overlay_ipv4_candidate(node_id(), *Prefix::parse(text), 0)) << text;
  }
}

}  // namespace
}  // namespace ginnel::control
