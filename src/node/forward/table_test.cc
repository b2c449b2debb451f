#include "node/forward/table.h"

#include <gtest/gtest.h>

#include "node/forward/testing/link.h"

namespace ginnel::forward {
namespace {

struct Routes {
  // Prefix i leads to peer i + 1.
  explicit Routes(std::vector<std::string> prefixes, std::vector<std::string> own = {}) {
    TableContents contents;
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
      Destination destination;
      destination.peer = wg::PeerHandle(static_cast<std::uint32_t>(i + 1));
      contents.destinations.push_back(destination);
      contents.routes.push_back({*Prefix::parse(prefixes[i]), i});
    }
    for (const auto& address : own) contents.own_addresses.push_back(*Address::parse(address));
    table.emplace(std::move(contents));
  }
  std::uint32_t peer(const std::string& address) const {
    const Destination* found = table->route(*Address::parse(address));
    return found ? found->peer.value() : 0;
  }
  std::optional<ForwardingTable> table;
};

TEST(ForwardingTable, TheLongestPrefixDecides) {
  const Routes routes({"10.0.0.0/8", "10.66.0.0/16", "10.66.0.7", "fd00::/8", "fd66::1"});
  EXPECT_EQ(routes.peer("10.66.0.7"), 3u);
  EXPECT_EQ(routes.peer("10.66.0.8"), 2u);
  EXPECT_EQ(routes.peer("10.66.255.255"), 2u);
  EXPECT_EQ(routes.peer("10.67.0.0"), 1u);
  EXPECT_EQ(routes.peer("11.0.0.0"), 0u);
  EXPECT_EQ(routes.peer("fd66::1"), 5u);
  EXPECT_EQ(routes.peer("fd66::2"), 4u);
  EXPECT_EQ(routes.peer("fe00::"), 0u);
}

TEST(ForwardingTable, ADefaultRouteOfOneFamilyIsNotTheOthers) {
  const Routes v4({"0.0.0.0/0"});
  EXPECT_EQ(v4.peer("0.0.0.0"), 1u);
  EXPECT_EQ(v4.peer("255.255.255.255"), 1u);
  EXPECT_EQ(v4.peer("::1"), 0u);
  const Routes v6({"::/0"});
  EXPECT_EQ(v6.peer("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 1u);
  EXPECT_EQ(v6.peer("10.0.0.1"), 0u);
}

// WireGuard: setting a prefix on another peer moves it.
TEST(ForwardingTable, OfEqualPrefixesTheLaterOneCounts) {
  const Routes routes({"10.66.0.0/16", "10.66.1.0/24", "10.66.0.0/16"});
  EXPECT_EQ(routes.peer("10.66.2.1"), 3u);
  EXPECT_EQ(routes.peer("10.66.1.1"), 2u);
}

TEST(ForwardingTable, OwnAddressesAreRoutedToNobody) {
  const Routes routes({"10.66.0.0/16", "10.66.0.1", "::/0"}, {"10.66.0.1", "fd66::1"});
  EXPECT_EQ(routes.peer("10.66.0.1"), 0u);
  EXPECT_EQ(routes.peer("10.66.0.2"), 1u);
  EXPECT_EQ(routes.peer("fd66::1"), 0u);
}

TEST(ForwardingTable, AnEmptyTableKnowsNothing) {
  const ForwardingTable table;
  EXPECT_EQ(table.route(Address::v4(10, 0, 0, 1)), nullptr);
  EXPECT_EQ(table.origin(wg::ReceiverIndex(0)), nullptr);
}

TEST(ForwardingTable, AgreesWithALinearSearchOverRandomPrefixes) {
  Rng rng = Rng::from_seed(8);
  for (const bool v4 : {true, false}) {
    TableContents contents;
    std::vector<Prefix> prefixes;
    for (std::size_t i = 0; i < 500; ++i) {
      // Few bits, so that they nest.
      Address address = v4 ? Address::v4(rng.u32() & 0xc0c1c003) : Address{};
      if (!v4) {
        for (const std::size_t at : {0, 7, 8, 15}) {
          address.bytes[at] = static_cast<std::uint8_t>(rng.u32() & 0xc1);
        }
      }
      const std::uint64_t least = v4 ? 96 : 0;
      const auto length = static_cast<std::uint8_t>(least + rng.below(129 - least));
      prefixes.push_back(Prefix::make(address, length));
      contents.destinations.emplace_back().peer = wg::PeerHandle(static_cast<std::uint32_t>(i));
      contents.routes.push_back({prefixes.back(), i});
    }
    const ForwardingTable table(std::move(contents));
    for (int round = 0; round < 3000; ++round) {
      Address address = prefixes[rng.below(prefixes.size())].address;
      address.bytes[12 + rng.below(4)] ^= static_cast<std::uint8_t>(rng.u32() & 0x83);
      const Prefix* best = nullptr;
      for (const Prefix& prefix : prefixes) {
        if (prefix.contains(address) && (!best || prefix.length >= best->length)) best = &prefix;
      }
      const Destination* found = table.route(address);
      ASSERT_EQ(found != nullptr, best != nullptr) << address.text();
      if (best) {
        ASSERT_EQ(found->peer.value(), static_cast<std::size_t>(best - prefixes.data()));
      }
    }
  }
}

TEST(ForwardingTable, FindsEachOriginByItsIndexAndNoOther) {
  Rng rng = Rng::from_seed(9);
  std::vector<std::unique_ptr<wg::KeyPair>> pairs;
  TableContents contents;
  const auto key = crypto::SymmetricKey::generate(rng);
  for (std::uint32_t i = 0; i < 300; ++i) {
    pairs.push_back(std::make_unique<wg::KeyPair>(
        wg::TransportKeys{key.clone(), key.clone()},
        // Many with the same low bits.
        wg::KeyPair::Init{.local_index = wg::ReceiverIndex(i << 8 | 1),
                          .activity = std::make_shared<wg::Activity>()}));
    Origin origin;
    origin.key_pair = pairs.back().get();
    contents.origins.push_back(origin);
  }
  const ForwardingTable table(std::move(contents));
  for (const auto& pair : pairs) {
    const Origin* origin = table.origin(pair->local_index());
    ASSERT_NE(origin, nullptr);
    EXPECT_EQ(origin->key_pair, pair.get());
  }
  EXPECT_EQ(table.origin(wg::ReceiverIndex(0)), nullptr);
  EXPECT_EQ(table.origin(wg::ReceiverIndex(300 << 8 | 1)), nullptr);
}

}  // namespace
}  // namespace ginnel::forward
