#include "proto/control/join.h"

#include <gtest/gtest.h>

#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

Join join() {
  Join out;
  out.secret = secret_of<TokenSecret>(0x44);
  out.session = node_session();
  out.role = Role::kHub;
  out.name = "hub-b";
  out.endpoints = {"203.0.113.10:7700"};
  sign_join(out, node_identity(), network(), hub_session());
  return out;
}

Joined joined(ConstBytes chain, ConstBytes hub_chain) {
  Joined out;
  out.chain = chain;
  out.hub_chain = hub_chain;
  out.overlay_v4 = *Prefix::parse("10.66.0.0/16");
  out.network_name = "home";
  out.hubs = {{hub_session(), "hub-a", {"hub-a.example.net:7700"}}};
  return out;
}

TEST(Join, RoundTrips) {
  const ByteVector bytes = encoded(join());
  expect_exact_size(bytes, parse_join);
  EXPECT_EQ(*parse_join(bytes), join());
}

TEST(Join, GreatestOneFitsItsLimit) {
  Join big = join();
  big.name = std::string(63, 'a');
  big.endpoints.assign(kHubEndpointsMax, std::string(255, 'h'));
  sign_join(big, node_identity(), network(), hub_session());
  EXPECT_EQ(encoded(big).size(), Join::kBytesMax);
  EXPECT_TRUE(verify_join(*parse_join(encoded(big)), network(), hub_session()));
}

TEST(Join, SignatureCoversEveryByteTheNetworkAndTheHub) {
  const Join good = join();
  EXPECT_TRUE(verify_join(good, network(), hub_session()));
  EXPECT_FALSE(verify_join(good, network(), node_session()));
  EXPECT_FALSE(verify_join(good, public_of(secret_of<crypto::NetworkSecret>(9)), hub_session()));
  const ByteVector bytes = encoded(good);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    ByteVector changed = bytes;
    changed[i] ^= std::byte{1};
    const auto parsed = parse_join(changed);
    EXPECT_FALSE(parsed && verify_join(*parsed, network(), hub_session())) << i;
  }
}

TEST(Join, RefusesNamesAndEndpointsThatAreNone) {
  Join bad = join();
  bad.name = "Not A Name";
  EXPECT_EQ(parse_join(encoded(bad)).error(), Drop::kBadField);
  bad = join();
  bad.endpoints = {"a b:1"};
  EXPECT_EQ(parse_join(encoded(bad)).error(), Drop::kBadField);
}

TEST(Joined, RoundTrips) {
  const ByteVector chain = encoded(node_chain());
  const ByteVector hub_chain = encoded(Chain{hub_certificate(), std::nullopt});
  const ByteVector bytes = encoded(joined(chain, hub_chain));
  expect_exact_size(bytes, parse_joined);
  expect_round_trip(bytes, parse_joined);
  const auto parsed = parse_joined(bytes);
  EXPECT_EQ(*parse_chain(parsed->chain), node_chain());
  EXPECT_EQ(parsed->overlay_v4.text(), "10.66.0.0/16");
  EXPECT_EQ(parsed->hubs[0].name, "hub-a");
}

TEST(Joined, LeavesOutHubsThatDoNotFitAndKeepsTheFirst) {
  const ByteVector chain = encoded(node_chain());
  Joined big = joined(chain, chain);
  const HubEntry hub = big.hubs[0];
  big.hubs.assign(kHubsMax, hub);
  limit_hubs(big);
  std::array<std::byte, 4096> buffer{};
  const std::size_t size = write_frame(big, buffer);
  EXPECT_LE(size, Joined::kBytesWithHubsMax);
  EXPECT_GT(size + hub_entry_bytes(hub), Joined::kBytesWithHubsMax);
  big.hubs.assign(2, {hub_session(), "hub-a", std::vector<std::string>(8, std::string(255, 'h'))});
  limit_hubs(big);
  EXPECT_EQ(big.hubs.size(), 1u);
}

TEST(Hubs, RoundTrip) {
  const Hubs hubs{{{hub_session(), "hub-a", {"a:1", "[2001:db8::1]:7700"}},
                   {node_session(), "hub-b", {"b:2"}}}};
  const ByteVector bytes = encoded(hubs);
  expect_exact_size(bytes, parse_hubs);
  EXPECT_EQ(*parse_hubs(bytes), hubs);
}

TEST(Hubs, GreatestListFitsItsMessage) {
  Hubs hubs;
  hubs.hubs.assign(kHubsMax, {hub_session(), std::string(63, 'a'),
                              std::vector<std::string>(kHubEndpointsMax, std::string(255, 'h'))});
  EXPECT_EQ(message_bytes(hubs).size(), kControlHeaderBytes + Hubs::kBytesMax);
}

TEST(Hubs, RefuseEmptyListsHubsWithoutEndpointsAndTooMany) {
  EXPECT_EQ(parse_hubs(encoded(Hubs{})).error(), Drop::kBadField);
  EXPECT_EQ(parse_hubs(encoded(Hubs{{{hub_session(), "a", {}}}})).error(), Drop::kBadField);
  ByteVector bytes = encoded(Hubs{{{hub_session(), "a", {"a:1"}}}});
  bytes[0] = std::byte{kHubsMax + 1};
  EXPECT_EQ(parse_hubs(bytes).error(), Drop::kTooMany);
}

}  // namespace
}  // namespace ginnel::control
