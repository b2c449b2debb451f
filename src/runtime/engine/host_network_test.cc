#include "runtime/engine/host_network.h"

#include <gtest/gtest.h>

namespace ginnel::runtime {
namespace {

constexpr io::InterfaceIndex kEthernet{2};
constexpr io::InterfaceIndex kTunnel{3};

Address address(std::string_view text) { return *Address::parse(text); }

HostNetwork host() {
  HostNetwork out;
  out.interfaces = {{.index = kEthernet, .name = "eth0", .mtu_bytes = 1500},
                    {.index = kTunnel, .name = "tun9", .mtu_bytes = 1280}};
  out.routes = {{.target = *Prefix::parse("0.0.0.0/0"), .index = kEthernet},
                {.target = *Prefix::parse("198.51.100.0/24"), .index = kTunnel}};
  return out;
}

TEST(HostNetwork, TheLongestRouteSaysWhichInterfacesMtuCounts) {
  EXPECT_EQ(outgoing_mtu(host(), address("203.0.113.9")), 1500u);
  EXPECT_EQ(outgoing_mtu(host(), address("198.51.100.9")), 1280u);
}

TEST(HostNetwork, OfEqualRoutesTheLowerMetricCounts) {
  HostNetwork network = host();
  network.routes[0].metric = 100;
  network.routes.push_back({.target = *Prefix::parse("0.0.0.0/0"), .index = kTunnel, .metric = 50});
  EXPECT_EQ(outgoing_mtu(network, address("203.0.113.9")), 1280u);
}

TEST(HostNetwork, WithoutARouteThereIsNoMtu) {
  EXPECT_FALSE(outgoing_mtu(host(), address("2001:db8::9")));
}

TEST(HostNetwork, OnlyAddressesThatOthersMayReachAreOurs) {
  HostNetwork network = host();
  network.addresses = {{.index = kEthernet, .address = address("192.0.2.7"), .length = 120},
                       {.index = kEthernet, .address = address("fe80::7"), .length = 64},
                       {.index = kEthernet, .address = address("127.0.0.1"), .length = 104},
                       {.index = kEthernet, .address = address("2001:db8::7"), .usable = false},
                       {.index = kTunnel, .address = address("10.66.0.1"), .length = 112}};
  const OwnAddresses own = addresses_of(network, {address("10.66.0.1")});
  EXPECT_EQ(own.addresses, std::vector{address("192.0.2.7")});
  EXPECT_EQ(own.subnets, std::vector{*Prefix::parse("192.0.2.0/24")});
}

}  // namespace
}  // namespace ginnel::runtime
