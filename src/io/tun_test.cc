// A real device, in a network namespace of its own: packets of a socket there come out of read(),
// and what write() takes arrives at a socket.
#include "io/tun.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <cstring>

#include "base/reader.h"
#include "base/writer.h"
#include "io/test_namespace.h"
#include "io/udp_socket.h"

namespace ginnel::io {
namespace {

constexpr int kDevicePatienceMs = 5000;
// linux/virtio_net.h, which is not C++ (it has a member named `class`).
struct VnetHeader {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t hdr_len = 0;
  std::uint16_t gso_size = 0;
  std::uint16_t csum_start = 0;
  std::uint16_t csum_offset = 0;
};
static_assert(sizeof(VnetHeader) == kVnetHeaderBytes);
constexpr std::uint8_t kNeedsChecksum = 1;  // VIRTIO_NET_HDR_F_NEEDS_CSUM
constexpr std::uint8_t kGsoNone = 0;
constexpr std::uint8_t kGsoUdpL4 = 5;  // Linux 6.2
constexpr std::size_t kIpBytes = 20;
constexpr std::size_t kUdpBytes = 8;
const Address kMine = Address::v4(10, 66, 0, 1);
const Address kPeer = Address::v4(10, 66, 0, 2);

bool wait_readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, kDevicePatienceMs) == 1;
}

struct World {
  std::unique_ptr<Netlink> netlink;
  std::unique_ptr<Tun> tun;
};

// A device with 10.66.0.1/16 and fd66::1/64, up.
World make_world(TunOptions options = {}) {
  World out{std::move(Netlink::open().value()), nullptr};
  auto tun = Tun::open(options);
  EXPECT_TRUE(tun) << tun.error().text;
  out.tun = *std::move(tun);
  const auto done = out.tun->configure(
      *out.netlink, {.mtu_bytes = 1392,
                     .addresses = {{.address = kMine, .length = 112},
                                   {.address = *Address::parse("fd66::1"), .length = 64}},
                     .routes = {{.target = *Prefix::parse("10.77.0.0/16")}}});
  EXPECT_TRUE(done) << done.error().text;
  return out;
}

TunStatus read_status(const Tun& tun) {
  ByteVector buffer(kTunBufferBytes);
  return tun.read(buffer).status;
}

// The header and packet of the next read that holds IPv4.
ByteVector read_packet(const Tun& tun) {
  ByteVector buffer(kTunBufferBytes);
  while (wait_readable(tun.fd())) {
    const TunResult r = tun.read(buffer);
    const bool v4 = r.status == TunStatus::kDone && buffer[kVnetHeaderBytes] >> 4 == std::byte{4};
    if (v4) return {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(r.size)};
  }
  return {};
}

VnetHeader header_of(ConstBytes packet) {
  VnetHeader header{};
  std::memcpy(&header, packet.data(), sizeof header);
  return header;
}

std::uint16_t ones_sum(ConstBytes bytes, std::uint32_t sum = 0) {
  Reader r(bytes);
  while (r.remaining() >= 2) sum += r.u16be();
  if (r.remaining() == 1) sum += std::uint32_t{r.u8()} << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// IPv4 + UDP headers from the peer to us; the UDP checksum field holds the pseudo-header's sum, as
// VIRTIO_NET_HDR_F_NEEDS_CSUM wants it.
ByteVector udp_headers(std::uint16_t port, std::size_t payload) {
  ByteVector out(kIpBytes + kUdpBytes);
  const auto udp_length = static_cast<std::uint16_t>(kUdpBytes + payload);
  Writer(out).u8(0x45).u8(0).u16be(static_cast<std::uint16_t>(kIpBytes + udp_length)).u32be(0x4000)
      .u8(64).u8(17).u16be(0).put(kPeer.wire()).put(kMine.wire())
      .u16be(7777).u16be(port).u16be(udp_length)
      .u16be(ones_sum(kMine.wire(), ones_sum(kPeer.wire(), 17u + udp_length)));
  const auto checksum = static_cast<std::uint16_t>(~ones_sum(std::span(out).first(kIpBytes)));
  out[10] = static_cast<std::byte>(checksum >> 8);
  out[11] = static_cast<std::byte>(checksum);
  return out;
}

VnetHeader needs_checksum() {
  VnetHeader header{};
  header.flags = kNeedsChecksum;
  header.hdr_len = kIpBytes + kUdpBytes;
  header.csum_start = kIpBytes;
  header.csum_offset = 6;
  return header;
}

#define WITH_TUN(...)                                                                \
  do {                                                                               \
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no access to /dev/net/tun"; \
    IN_NAMESPACE(__VA_ARGS__);                                                       \
  } while (false)

TEST(Tun, ConfiguredDeviceHasItsAddressesRoutesAndMtu) {
  WITH_TUN({
    const World world = make_world();
    EXPECT_EQ(world.tun->name(), "ginnel0");
    EXPECT_TRUE(world.tun->offloads().tcp);
    const auto interfaces = world.netlink->interfaces();
    for (const Interface& i : interfaces.value()) {
      if (i.index != world.tun->index()) continue;
      EXPECT_EQ(i.name, "ginnel0");
      EXPECT_EQ(i.mtu_bytes, 1392u);
      EXPECT_TRUE(i.up);
      EXPECT_TRUE(i.point_to_point);
    }
    const auto addresses = world.netlink->addresses();
    std::vector<std::string> mine;
    for (const InterfaceAddress& a : addresses.value()) {
      if (a.index == world.tun->index()) mine.push_back(a.address.text());
    }
    // No fe80:: address: nobody on this link would answer it.
    EXPECT_EQ(mine, (std::vector<std::string>{"10.66.0.1", "fd66::1"}));
    const auto clash = find_clash(*Prefix::parse("10.77.1.0/24"), interfaces.value(),
                                  addresses.value(), world.netlink->routes().value());
    ASSERT_TRUE(clash);
    EXPECT_EQ(clash->interface, "ginnel0");
    EXPECT_EQ(clash->range.text(), "10.77.0.0/16");
  });
}

TEST(Tun, PacketOfASocketComesOutWithItsHeader) {
  WITH_TUN({
    const World world = make_world();
    const auto socket = std::move(UdpSocket::open({.bind = {kMine, 0}}).value());
    SendBatch batch(1);
    const ByteVector payload(100, std::byte{0x5a});
    batch.add({.to = {kPeer, 9}, .bytes = payload});
    EXPECT_EQ(socket->send(batch).messages, 1u);
    const ByteVector packet = read_packet(*world.tun);
    ASSERT_EQ(packet.size(), kVnetHeaderBytes + kIpBytes + kUdpBytes + 100);
    EXPECT_EQ(header_of(packet).gso_type, kGsoNone);
    EXPECT_TRUE(equal(std::span(packet).subspan(kVnetHeaderBytes + 16, 4), kPeer.wire()));
    EXPECT_EQ(read_status(*world.tun), TunStatus::kNothing);
  });
}

// USO: the segments of one send come out of the device as one super packet.
TEST(Tun, SegmentedSendComesOutAsOneSuperPacket) {
  WITH_TUN({
    const World world = make_world();
    if (!world.tun->offloads().udp) GTEST_SKIP() << "no USO before Linux 6.2";
    const auto socket = std::move(UdpSocket::open({.bind = {kMine, 0}}).value());
    SendBatch batch(1);
    const ByteVector payload(1000 * 30, std::byte{0x5a});
    batch.add({.to = {kPeer, 9}, .bytes = payload, .segment_size = 1000});
    EXPECT_EQ(socket->send(batch).messages, 1u);
    const ByteVector packet = read_packet(*world.tun);
    ASSERT_EQ(packet.size(), kVnetHeaderBytes + kIpBytes + kUdpBytes + payload.size());
    EXPECT_EQ(header_of(packet).gso_type, kGsoUdpL4);
    EXPECT_EQ(header_of(packet).gso_size, 1000);
  });
}

TEST(Tun, WrittenPartsArriveAtASocket) {
  WITH_TUN({
    const World world = make_world();
    const auto socket = std::move(UdpSocket::open({.bind = {kMine, 0}}).value());
    const VnetHeader vnet = needs_checksum();
    const ByteVector headers = udp_headers(socket->local().port, 7);
    const std::array<ConstBytes, 3> parts{std::as_bytes(std::span(&vnet, 1)), headers,
                                          bytes_of("payload")};
    const TunResult r = world.tun->write(parts);
    EXPECT_EQ(r.status, TunStatus::kDone);
    EXPECT_EQ(r.size, kVnetHeaderBytes + kIpBytes + kUdpBytes + 7);
    ASSERT_TRUE(wait_readable(socket->fd()));
    ReceiveBatch batch(1);
    const auto in = socket->receive(batch);
    ASSERT_EQ(in.size(), 1u);
    EXPECT_EQ(text_of(in[0].bytes), "payload");
    EXPECT_EQ(in[0].from, (Endpoint{kPeer, 7777}));
    EXPECT_EQ(in[0].local, kMine);
  });
}

TEST(Tun, WrittenSuperPacketArrivesAsItsSegments) {
  WITH_TUN({
    const World world = make_world();
    if (!world.tun->offloads().udp) GTEST_SKIP() << "no USO before Linux 6.2";
    const auto socket = std::move(UdpSocket::open({.bind = {kMine, 0}, .gro = false}).value());
    VnetHeader vnet = needs_checksum();
    vnet.gso_type = kGsoUdpL4;
    vnet.gso_size = 1000;
    const ByteVector payload(1000 * 20 + 5, std::byte{0x5a});
    const ByteVector headers = udp_headers(socket->local().port, payload.size());
    const std::array<ConstBytes, 3> parts{std::as_bytes(std::span(&vnet, 1)), headers, payload};
    EXPECT_EQ(world.tun->write(parts).status, TunStatus::kDone);
    ReceiveBatch batch(32);
    std::vector<std::size_t> sizes;
    while (sizes.size() < 21 && wait_readable(socket->fd())) {
      for (const Received& r : socket->receive(batch)) sizes.push_back(r.bytes.size());
    }
    ASSERT_EQ(sizes.size(), 21u);
    EXPECT_EQ(sizes.front(), 1000u);
    EXPECT_EQ(sizes.back(), 5u);
  });
}

TEST(Tun, MalformedPacketIsRejectedAndTheDeviceLivesOn) {
  WITH_TUN({
    const World world = make_world();
    const ByteVector junk(kVnetHeaderBytes + 4, std::byte{0xff});
    const std::array<ConstBytes, 1> parts{ConstBytes(junk)};
    EXPECT_EQ(world.tun->write(parts).status, TunStatus::kRejected);
    EXPECT_EQ(read_status(*world.tun), TunStatus::kNothing);
  });
}

TEST(Tun, NameInUseIsRefusedWithAHint) {
  WITH_TUN({
    const World world = make_world({.name = "mesh0"});
    EXPECT_EQ(world.tun->name(), "mesh0");
    const auto second = Tun::open({.name = "mesh0"});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kNoTun);
    EXPECT_FALSE(second.error().hint.empty());
    const auto loopback = Tun::open({.name = "lo"});
    ASSERT_FALSE(loopback);
    EXPECT_EQ(loopback.error().code, Errc::kNoTun);
    EXPECT_FALSE(Tun::open({.name = "a-name-that-is-too-long"}));
  });
}

TEST(Tun, DefaultNamesDoNotCollide) {
  WITH_TUN({
    const World one = make_world();
    const auto two = Tun::open({});
    ASSERT_TRUE(two);
    EXPECT_EQ((*two)->name(), "ginnel1");
  });
}

TEST(Tun, SecondQueueServesTheSameDevice) {
  WITH_TUN({
    const World world = make_world({.multi_queue = true});
    const auto queue = world.tun->open_queue();
    ASSERT_TRUE(queue) << queue.error().text;
    EXPECT_EQ((*queue)->name(), world.tun->name());
    EXPECT_EQ((*queue)->index(), world.tun->index());
  });
}

TEST(Tun, WithoutIpv6TheRestIsConfigured) {
  WITH_TUN({
    const auto netlink = std::move(Netlink::open().value());
    const auto tun = std::move(Tun::open({}).value());
    // /proc/sys/net shows the namespace of the thread that opens it.
    const Fd knob(::open(("/proc/sys/net/ipv6/conf/" + tun->name() + "/disable_ipv6").c_str(),
                         O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(knob);
    ASSERT_EQ(::write(knob.get(), "1", 1), 1);
    EXPECT_FALSE(has_ipv6(tun->name()));
    const auto done = tun->configure(
        *netlink, {.addresses = {{.address = kMine, .length = 112},
                                 {.address = *Address::parse("fd66::1"), .length = 64}},
                   .routes = {{.target = *Prefix::parse("fd77::/32")}}});
    EXPECT_TRUE(done) << done.error().text;
    EXPECT_EQ(netlink->addresses().value().size(), 1u);
  });
}

TEST(Tun, DeletedDeviceIsGone) {
  WITH_TUN({
    const World world = make_world();
    const std::string command = "ip link del " + world.tun->name() + " 2>/dev/null";
    if (std::system(command.c_str()) != 0) GTEST_SKIP() << "no iproute2";
    EXPECT_EQ(read_status(*world.tun), TunStatus::kGone);
  });
}

}  // namespace
}  // namespace ginnel::io
