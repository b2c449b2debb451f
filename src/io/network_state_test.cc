#include "io/network_state.h"

#include <gtest/gtest.h>

namespace ginnel::io {
namespace {

Prefix range(const char* text) { return *Prefix::parse(text); }

const std::vector<Interface> kInterfaces = {
    {.index = InterfaceIndex(2), .name = "eth0"}, {.index = InterfaceIndex(7), .name = "corp0"}};

TEST(RangeClash, OverlappingAddressIsNamedWithItsInterface) {
  const std::vector<InterfaceAddress> addresses = {
      {.index = InterfaceIndex(2), .address = Address::v4(10, 66, 4, 9), .length = 120}};
  const auto clash = find_clash(range("10.66.0.0/16"), kInterfaces, addresses, {});
  ASSERT_TRUE(clash);
  EXPECT_EQ(clash->range.text(), "10.66.4.0/24");
  EXPECT_EQ(clash->interface, "eth0");
  EXPECT_FALSE(find_clash(range("10.67.0.0/16"), kInterfaces, addresses, {}));
  EXPECT_FALSE(find_clash(range("fd00::/8"), kInterfaces, addresses, {}));
}

TEST(RangeClash, RouteThatCoversTheRangeCounts) {
  const std::vector<Route> routes = {
      {.target = range("10.0.0.0/8"), .index = InterfaceIndex(7)}};
  const auto clash = find_clash(range("10.66.0.0/16"), kInterfaces, {}, routes);
  ASSERT_TRUE(clash);
  EXPECT_EQ(clash->interface, "corp0");
}

TEST(RangeClash, DefaultRoutesAndDeadEndsDoNotCount) {
  std::vector<Route> routes;
  for (const char* text : {"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "2000::/3"}) {
    routes.push_back({.target = range(text), .index = InterfaceIndex(7)});
  }
  routes.push_back({.target = range("10.0.0.0/8"), .unicast = false});
  EXPECT_FALSE(find_clash(range("10.66.0.0/16"), kInterfaces, {}, routes));
  EXPECT_FALSE(find_clash(range("2001:db8::/32"), kInterfaces, {}, routes));
}

TEST(RangeClash, OurOwnDeviceIsNoClash) {
  const std::vector<InterfaceAddress> addresses = {
      {.index = InterfaceIndex(7), .address = Address::v4(10, 66, 0, 1), .length = 112}};
  const std::vector<Route> routes = {
      {.target = range("10.66.0.0/16"), .index = InterfaceIndex(7)}};
  const Prefix wanted = range("10.66.0.0/16");
  EXPECT_TRUE(find_clash(wanted, kInterfaces, addresses, routes));
  EXPECT_FALSE(find_clash(wanted, kInterfaces, addresses, routes, InterfaceIndex(7)));
}

}  // namespace
}  // namespace ginnel::io
