// Against the real kernel, in a network namespace of its own.
#include "io/netlink.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "io/netlink_message.h"
#include "io/network_monitor.h"
#include "io/network_parse.h"
#include "io/test_namespace.h"
#include "io/tun.h"

namespace ginnel::io {
namespace {

const InterfaceIndex kLoopback(1);
constexpr int kPatienceMs = 5000;

std::unique_ptr<Netlink> open_netlink() { return std::move(Netlink::open().value()); }

template <class Value, class Wanted>
std::optional<Value> find(const Result<std::vector<Value>, Error>& all, Wanted&& wanted) {
  for (const Value& value : all.value()) {
    if (wanted(value)) return value;
  }
  return std::nullopt;
}

std::optional<InterfaceAddress> find_address(Netlink& netlink, const Address& address) {
  return find(netlink.addresses(), [&](const auto& a) { return a.address == address; });
}
std::optional<Route> find_route(Netlink& netlink, const Prefix& target) {
  return find(netlink.routes(), [&](const auto& r) { return r.target == target; });
}

TEST(Netlink, ListsTheLoopbackInterface) {
  const auto netlink = open_netlink();
  const auto lo = find(netlink->interfaces(), [](const auto& i) { return i.loopback; });
  ASSERT_TRUE(lo);
  EXPECT_EQ(lo->name, "lo");
  EXPECT_EQ(lo->index, kLoopback);
  EXPECT_GT(lo->mtu_bytes, 1280u);
}

TEST(Netlink, LinkChangesAreSeenInTheList) {
  IN_NAMESPACE({
    const auto netlink = open_netlink();
    const auto lo = [&] {
      return *find(netlink->interfaces(), [](const auto& i) { return i.loopback; });
    };
    EXPECT_FALSE(lo().up);
    EXPECT_TRUE(netlink->set_link(kLoopback, {.mtu_bytes = 4000, .up = true}));
    EXPECT_TRUE(lo().up);
    EXPECT_EQ(lo().mtu_bytes, 4000u);
    EXPECT_TRUE(netlink->set_link(kLoopback, {.up = false}));
    EXPECT_FALSE(lo().up);
    EXPECT_FALSE(netlink->set_link(InterfaceIndex(999), {.up = true}));
  });
}

TEST(Netlink, AddressesOfBothFamiliesComeAndGo) {
  IN_NAMESPACE({
    const auto netlink = open_netlink();
    EXPECT_TRUE(netlink->set_link(kLoopback, {.up = true}));
    for (const char* text : {"10.66.0.2", "fd00::7"}) {
      const Address address = *Address::parse(text);
      const InterfaceAddress wanted{.index = kLoopback, .address = address, .length = 112};
      EXPECT_TRUE(netlink->add_address(wanted));
      EXPECT_TRUE(netlink->add_address(wanted)) << "there already: succeeds";
      EXPECT_EQ(find_address(*netlink, address), wanted);
      EXPECT_TRUE(netlink->remove_address(wanted));
      EXPECT_TRUE(netlink->remove_address(wanted)) << "not there: succeeds";
      EXPECT_FALSE(find_address(*netlink, address));
    }
  });
}

TEST(Netlink, RoutesOfBothFamiliesComeAndGo) {
  IN_NAMESPACE({
    const auto netlink = open_netlink();
    EXPECT_TRUE(netlink->set_link(kLoopback, {.up = true}));
    for (const char* text : {"10.77.0.0/16", "fd77::/32"}) {
      const Route wanted{.target = *Prefix::parse(text), .index = kLoopback, .metric = 42};
      EXPECT_TRUE(netlink->add_route(wanted));
      EXPECT_TRUE(netlink->add_route(wanted)) << "there already: replaced";
      EXPECT_EQ(find_route(*netlink, wanted.target), wanted);
      EXPECT_TRUE(netlink->remove_route(wanted));
      EXPECT_TRUE(netlink->remove_route(wanted)) << "not there: succeeds";
      EXPECT_FALSE(find_route(*netlink, wanted.target));
    }
  });
}

TEST(Netlink, RouteWithGatewaySourceAndTableIsReadBack) {
  IN_NAMESPACE({
    const auto netlink = open_netlink();
    EXPECT_TRUE(netlink->set_link(kLoopback, {.up = true}));
    const Address mine = Address::v4(10, 66, 0, 2);
    EXPECT_TRUE(netlink->add_address({.index = kLoopback, .address = mine, .length = 112}));
    const Route wanted{.target = *Prefix::parse("0.0.0.0/0"), .index = kLoopback,
                       .gateway = Address::v4(10, 66, 0, 1), .source = mine, .table = 1000};
    const auto added = netlink->add_route(wanted);
    EXPECT_TRUE(added) << added.error().text;
    EXPECT_EQ(find_route(*netlink, wanted.target), wanted);
    EXPECT_TRUE(wanted.is_default());
  });
}

TEST(Netlink, RefusalIsReportedAsAnError) {
  const auto netlink = open_netlink();
  const auto done = netlink->set_link(InterfaceIndex(999'999), {.up = true});
  ASSERT_FALSE(done);
  EXPECT_FALSE(done.error().text.empty());
}

// Every change up to the first that `wanted` accepts.
template <class Change, class Wanted>
std::optional<Change> await_change(NetworkMonitor& monitor, Wanted&& wanted) {
  for (;;) {
    while (const auto change = monitor.next()) {
      const Change* found = std::get_if<Change>(&*change);
      if (found != nullptr && wanted(*found)) return *found;
    }
    pollfd ready{monitor.fd(), POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) != 1) return std::nullopt;
  }
}

TEST(NetworkMonitor, TellsOfLinksAddressesAndRoutes) {
  IN_NAMESPACE({
    const auto netlink = open_netlink();
    const auto monitor = std::move(NetworkMonitor::open().value());
    EXPECT_FALSE(monitor->next());
    EXPECT_TRUE(netlink->set_link(kLoopback, {.up = true}));
    EXPECT_TRUE(await_change<InterfaceChanged>(
        *monitor, [](const auto& c) { return c.state.name == "lo" && c.state.up; }));
    const InterfaceAddress address{
        .index = kLoopback, .address = Address::v4(10, 66, 0, 2), .length = 112};
    EXPECT_TRUE(netlink->add_address(address));
    EXPECT_TRUE(await_change<AddressChanged>(
        *monitor, [&](const auto& c) { return c.state == address && !c.removed; }));
    const Route route{.target = *Prefix::parse("10.77.0.0/16"), .index = kLoopback};
    EXPECT_TRUE(netlink->add_route(route));
    EXPECT_TRUE(await_change<RouteChanged>(
        *monitor, [&](const auto& c) { return c.state == route && !c.removed; }));
    EXPECT_TRUE(netlink->remove_address(address));
    EXPECT_TRUE(await_change<AddressChanged>(
        *monitor, [&](const auto& c) { return c.state == address && c.removed; }));
  });
}

TEST(NetworkMonitor, SaysSoWhenNewsWereLost) {
  IN_NAMESPACE({
    const auto netlink = open_netlink();
    const auto monitor = std::move(NetworkMonitor::open().value());
    for (std::uint32_t i = 0; i < 3000; ++i) {
      EXPECT_TRUE(netlink->set_link(kLoopback, {.mtu_bytes = 2000 + i}));
    }
    EXPECT_TRUE(await_change<NewsLost>(*monitor, [](const auto&) { return true; }));
  });
}

TEST(NetlinkMessage, NestedAttributesReadBackAsWritten) {
  NetlinkRequest request(RTM_NEWLINK, NLM_F_ACK, ifinfomsg{});
  request.attribute_u32(IFLA_MTU, 1392);
  request.begin_nest(IFLA_AF_SPEC).attribute_u8(8, 1).end_nest();
  const ConstBytes bytes = request.finish(7);
  int messages = 0;
  for_each_message(bytes, [&](const nlmsghdr& header, ConstBytes payload) {
    ++messages;
    EXPECT_EQ(header.nlmsg_seq, 7u);
    EXPECT_EQ(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
    std::vector<unsigned> types;
    for_each_attribute(payload.subspan(sizeof(ifinfomsg)), [&](unsigned type, ConstBytes value) {
      types.push_back(type);
      if (type == IFLA_AF_SPEC) {
        for_each_attribute(value, [&](unsigned inner, ConstBytes v) {
          types.push_back(inner);
          EXPECT_EQ(v.size(), 1u);
        });
      }
    });
    EXPECT_EQ(types, (std::vector<unsigned>{IFLA_MTU, IFLA_AF_SPEC, 8}));
  });
  EXPECT_EQ(messages, 1);
}

TEST(NetlinkMessage, CutShortAnywhereIsReadWithoutPassingTheEnd) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 8;
  NetlinkRequest request(RTM_NEWROUTE, 0, header);
  request.attribute(RTA_DST, Address::v4(10, 0, 0, 0).wire()).attribute_u32(RTA_OIF, 3);
  const ByteVector whole = to_vector(request.finish(1));
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const ByteVector cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    int messages = 0;
    for_each_message(cut, [&](const nlmsghdr&, ConstBytes) { ++messages; });
    EXPECT_EQ(messages, size == whole.size() ? 1 : 0);
    if (size < sizeof(nlmsghdr)) continue;
    const auto route = parse_route(std::span(cut).subspan(sizeof(nlmsghdr)));
    EXPECT_EQ(route.has_value(), size >= sizeof(nlmsghdr) + sizeof(rtmsg));
  }
}

}  // namespace
}  // namespace ginnel::io
