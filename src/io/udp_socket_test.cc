// Real sockets on the loopback device, with ports that the kernel chooses.
#include "io/udp_socket.h"

#include <gtest/gtest.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "io/port_owner.h"
#include "io/test_allocations.h"
#include "io/test_namespace.h"

namespace {

bool kernel_refuses_gso = false;

bool asks_for_gso(const msghdr& header) {
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr;
       item = CMSG_NXTHDR(const_cast<msghdr*>(&header), item)) {
    if (item->cmsg_level == SOL_UDP && item->cmsg_type == UDP_SEGMENT) return true;
  }
  return false;
}

}  // namespace

// Stands before the C library's: a kernel as above when `kernel_refuses_gso`.
extern "C" int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  unsigned end = 0;
  while (end < count && !(kernel_refuses_gso && asks_for_gso(messages[end].msg_hdr))) ++end;
  if (end == 0) return errno = EIO, -1;
  return static_cast<int>(::syscall(SYS_sendmmsg, fd, messages, end, flags));
}

namespace ginnel::io {
namespace {

constexpr int kSocketPatienceMs = 5000;

std::unique_ptr<UdpSocket> open_at(const char* address, UdpOptions options = {}) {
  options.bind = *Endpoint::parse(address);
  auto socket = UdpSocket::open(options);
  EXPECT_TRUE(socket) << socket.error().text;
  return socket ? *std::move(socket) : nullptr;
}

// Everything that arrives until `datagrams` have (a coalesced one counts as its segments).
struct Arrived {
  std::vector<Received> pieces;  // bytes point into `memory`
  std::vector<ByteVector> memory;
  std::size_t datagrams = 0;
};
std::size_t datagrams_of(const Received& r) {
  return r.segment_size == 0 ? 1 : (r.bytes.size() + r.segment_size - 1) / r.segment_size;
}
Arrived receive(UdpSocket& socket, std::size_t datagrams) {
  ReceiveBatch batch(4);
  Arrived out;
  while (out.datagrams < datagrams) {
    pollfd ready{socket.fd(), POLLIN, 0};
    if (::poll(&ready, 1, kSocketPatienceMs) != 1) break;
    for (const Received& r : socket.receive(batch)) {
      out.datagrams += datagrams_of(r);
      out.memory.push_back(to_vector(r.bytes));
      out.pieces.push_back(r);
      out.pieces.back().bytes = out.memory.back();
    }
  }
  return out;
}

SendReport send(UdpSocket& socket, SendBatch& batch, const Outgoing& message) {
  EXPECT_TRUE(batch.add(message));
  return socket.send(batch);
}

ByteVector pattern(std::size_t size) {
  ByteVector out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + i / 256);
  return out;
}

TEST(UdpSocket, OneSocketSpeaksBothFamilies) {
  const auto hub = open_at("[::]:0");
  const auto v4 = open_at("127.0.0.1:0");
  const auto v6 = open_at("[::1]:0");
  SendBatch batch(4);
  const ByteVector hello = pattern(100);
  send(*v4, batch, {.to = {Address::v4(127, 0, 0, 1), hub->local().port}, .bytes = hello});
  send(*v6, batch, {.to = {*Address::parse("::1"), hub->local().port}, .bytes = hello});
  const Arrived in = receive(*hub, 2);
  ASSERT_EQ(in.datagrams, 2u);
  EXPECT_EQ(in.pieces[0].from, v4->local());
  EXPECT_EQ(in.pieces[0].local, Address::v4(127, 0, 0, 1));
  EXPECT_EQ(in.pieces[1].from, v6->local());
  EXPECT_EQ(in.pieces[1].local, *Address::parse("::1"));
  for (const Received& r : in.pieces) {
    EXPECT_TRUE(equal(r.bytes, hello));
    EXPECT_EQ(r.segment_size, 0u);
    send(*hub, batch, {.to = r.from, .source = r.local, .bytes = hello});
  }
  EXPECT_EQ(receive(*v4, 1).pieces.at(0).from.address, Address::v4(127, 0, 0, 1));
  EXPECT_EQ(receive(*v6, 1).pieces.at(0).from.address, *Address::parse("::1"));
}

TEST(UdpSocket, AnswersFromTheAddressThatWasAsked) {
  const auto hub = open_at("[::]:0");
  const auto peer = open_at("127.0.0.1:0");
  SendBatch batch(1);
  const ByteVector hello = pattern(10);
  send(*peer, batch, {.to = {Address::v4(127, 0, 0, 77), hub->local().port}, .bytes = hello});
  const Arrived in = receive(*hub, 1);
  ASSERT_EQ(in.pieces.size(), 1u);
  EXPECT_EQ(in.pieces[0].local, Address::v4(127, 0, 0, 77));
  send(*hub, batch, {.to = in.pieces[0].from, .source = in.pieces[0].local, .bytes = hello});
  EXPECT_EQ(receive(*peer, 1).pieces.at(0).from.address, Address::v4(127, 0, 0, 77));
}

class UdpFamilies : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Udp, UdpFamilies, testing::Values("127.0.0.1:0", "[::1]:0", "0.0.0.0:0"));

// The super packet goes through the loopback device in one piece, and says where to cut it.
TEST_P(UdpFamilies, SegmentsTravelAsOneSuperPacket) {
  const auto a = open_at(GetParam());
  const auto b = open_at(GetParam());
  Endpoint to = b->local();
  if (to.address.is_unspecified()) to.address = Address::v4(127, 0, 0, 1);
  ASSERT_TRUE(a->gso());
  ASSERT_TRUE(b->gro());
  SendBatch batch(1);
  const ByteVector bytes = pattern(1400 * 40 + 33);
  const SendReport report = send(*a, batch, {.to = to, .bytes = bytes, .segment_size = 1400});
  EXPECT_EQ(report.messages, 1u);
  EXPECT_TRUE(report.failures.empty());
  const Arrived in = receive(*b, 41);
  ASSERT_EQ(in.datagrams, 41u);
  ByteVector joined;
  for (const Received& r : in.pieces) joined.insert(joined.end(), r.bytes.begin(), r.bytes.end());
  EXPECT_TRUE(equal(joined, bytes));
  EXPECT_LT(in.pieces.size(), 41u);
  EXPECT_EQ(in.pieces[0].segment_size, 1400u);
}

TEST_P(UdpFamilies, WithoutGsoTheSameDatagramsArrive) {
  const auto a = open_at(GetParam());
  const auto b = open_at(GetParam(), {.gro = false});
  Endpoint to = b->local();
  if (to.address.is_unspecified()) to.address = Address::v4(127, 0, 0, 1);
  a->disable_gso();
  SendBatch batch(3);
  const ByteVector bytes = pattern(1000 * 5 + 1);
  batch.add({.to = to, .bytes = std::span(bytes).first(9)});
  batch.add({.to = to, .bytes = bytes, .segment_size = 1000});
  batch.add({.to = to, .bytes = std::span(bytes).first(8)});
  EXPECT_EQ(a->send(batch).messages, 3u);
  const Arrived in = receive(*b, 8);
  std::vector<std::size_t> sizes;
  for (const Received& r : in.pieces) sizes.push_back(r.bytes.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{9, 1000, 1000, 1000, 1000, 1000, 1, 8}));
}

// docs/design.md section 3: sockets set IP_MTU_DISCOVER = PROBE; EMSGSIZE lowers a path.
TEST(UdpSocket, ReportsWhatIsTooBigAndSendsTheRest) {
  const auto a = open_at("[::]:0");
  const auto b = open_at("[::]:0");
  const Endpoint v4{Address::v4(127, 0, 0, 1), b->local().port};
  const ByteVector bytes = pattern(65507);
  SendBatch batch(3);
  batch.add({.to = v4, .bytes = std::span(bytes).first(20)});
  ByteVector huge(65536);  // no UDP datagram can be this long
  batch.add({.to = v4, .bytes = huge});
  batch.add({.to = v4, .bytes = std::span(bytes).first(30)});
  const SendReport report = a->send(batch);
  EXPECT_EQ(report.messages, 3u);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].why, SendError::kTooBig);
  EXPECT_EQ(report.failures[0].to, v4);
  EXPECT_EQ(report.failures[0].datagram_bytes, 65536u);
  const Arrived in = receive(*b, 2);
  ASSERT_EQ(in.pieces.size(), 2u);
  EXPECT_EQ(in.pieces[1].bytes.size(), 30u);
}

TEST(UdpSocket, SourceThatIsGoneFallsBackToTheKernelsChoice) {
  const auto a = open_at("[::]:0");
  const auto b = open_at("[::]:0");
  SendBatch batch(1);
  const ByteVector bytes = pattern(3000);
  for (const char* text : {"127.0.0.1", "::1"}) {
    const bool v4 = text[0] == '1';
    const Address gone = *Address::parse(v4 ? "203.0.113.77" : "2001:db8::77");
    const Endpoint to{*Address::parse(text), b->local().port};
    const SendReport report =
        send(*a, batch, {.to = to, .source = gone, .bytes = bytes, .segment_size = 1000});
    ASSERT_EQ(report.failures.size(), 1u) << text;
    EXPECT_EQ(report.failures[0].why, SendError::kSourceGone) << text << report.failures[0].number;
    EXPECT_EQ(report.failures[0].source, gone);
    EXPECT_EQ(receive(*b, 3).datagrams, 3u);
  }
}

TEST(UdpSocket, DestinationOfTheOtherFamilyIsNoRoute) {
  const auto v4 = open_at("127.0.0.1:0");
  const auto v6 = open_at("[::1]:0");
  SendBatch batch(1);
  const ByteVector bytes = pattern(3);
  SendReport report = send(*v4, batch, {.to = v6->local(), .bytes = bytes});
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].why, SendError::kNoRoute);
  report = send(*v6, batch, {.to = v4->local(), .bytes = bytes});
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].why, SendError::kNoRoute);
}

// A low TTL primes a NAT without reaching the other one (docs/design.md section 6).
TEST(UdpSocket, TtlHoldsForOneMessageOnly) {
  const auto a = open_at("[::]:0");
  const Fd b(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ASSERT_EQ(::setsockopt(b.get(), IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
  ASSERT_EQ(::setsockopt(b.get(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on), 0);
  SocketAddress name{};
  name.v6.sin6_family = AF_INET6;
  socklen_t size = sizeof name.v6;
  ASSERT_EQ(::bind(b.get(), &name.any, size), 0);
  ASSERT_EQ(::getsockname(b.get(), &name.any, &size), 0);
  const auto next_ttl = [&] {
    std::array<char, 64> bytes;
    alignas(cmsghdr) std::array<char, 256> control;
    iovec vector{bytes.data(), bytes.size()};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    if (::recvmsg(b.get(), &header, 0) < 0) return -1;
    int ttl = -1;
    const cmsghdr* item = CMSG_FIRSTHDR(&header);
    if (item != nullptr) std::memcpy(&ttl, CMSG_DATA(item), sizeof ttl);
    return ttl;
  };
  SendBatch batch(1);
  const ByteVector bytes = pattern(5);
  for (const char* text : {"127.0.0.1", "::1"}) {
    const Endpoint to{*Address::parse(text), ntohs(name.v6.sin6_port)};
    send(*a, batch, {.to = to, .bytes = bytes, .ttl = 3});
    EXPECT_EQ(next_ttl(), 3) << text;
    send(*a, batch, {.to = to, .bytes = bytes});
    EXPECT_GT(next_ttl(), 30) << text;
  }
}

TEST(UdpSocket, EcnTravelsBothWays) {
  const auto a = open_at("[::]:0");
  const auto b = open_at("[::]:0");
  SendBatch batch(1);
  const ByteVector bytes = pattern(5);
  for (const char* text : {"127.0.0.1", "::1"}) {
    send(*a, batch, {.to = {*Address::parse(text), b->local().port}, .bytes = bytes, .ecn = 2});
    EXPECT_EQ(receive(*b, 1).pieces.at(0).ecn, 2) << text;
    send(*a, batch, {.to = {*Address::parse(text), b->local().port}, .bytes = bytes});
    EXPECT_EQ(receive(*b, 1).pieces.at(0).ecn, 0) << text;
  }
}

TEST(UdpSocket, BusyPortNamesThePortAndItsOwner) {
  const auto holder = open_at("127.0.0.1:0");
  const auto second = UdpSocket::open({.bind = holder->local()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kPortBusy);
  EXPECT_NE(second.error().text.find(std::to_string(holder->local().port)), std::string::npos);
  EXPECT_NE(second.error().text.find("pid " + std::to_string(::getpid())), std::string::npos)
      << second.error().text;
  const auto wildcard = UdpSocket::open({.bind = {{}, holder->local().port}});
  ASSERT_FALSE(wildcard);
  EXPECT_EQ(wildcard.error().code, Errc::kPortBusy);
}

// docs/cli.md, "Many nodes on a host".
TEST(UdpSocket, TwoAddressesOfAHostMayHaveTheSamePort) {
  const auto one = open_at("127.0.0.1:0");
  const auto two = UdpSocket::open({.bind = {Address::v4(127, 0, 0, 2), one->local().port}});
  EXPECT_TRUE(two);
}

TEST(UdpSocket, AddressOfAnotherHostIsAConfigurationError) {
  const auto socket = UdpSocket::open({.bind = *Endpoint::parse("203.0.113.7:0")});
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code, Errc::kConfigValue);
}

TEST(UdpSocket, LongerThanItsSlotIsDroppedAndCounted) {
  const auto a = open_at("127.0.0.1:0");
  const auto b = open_at("127.0.0.1:0", {.gro = false});
  SendBatch batch(2);
  const ByteVector bytes = pattern(200);
  batch.add({.to = b->local(), .bytes = bytes});
  batch.add({.to = b->local(), .bytes = std::span(bytes).first(100)});
  a->send(batch);
  ReceiveBatch small(4, 100);
  pollfd ready{b->fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&ready, 1, kSocketPatienceMs), 1);
  const auto in = b->receive(small);
  ASSERT_EQ(in.size(), 1u);
  EXPECT_EQ(in[0].bytes.size(), 100u);
  EXPECT_EQ(b->truncated(), 1u);
}

// A link on which nobody answers ARP: packets wait for it, charged to the socket's buffer, until
// the kernel gives up after some 20 ms. (The loopback device takes every packet off the sender at
// once, so no socket is ever full there.) False: this host cannot make one.
bool make_silent_link() {
  return std::system("ip link add v0 type veth peer name v1 && ip addr add 10.9.0.1/24 dev v0 && "
                     "ip link set v0 up && ip link set v1 up && "
                     "echo 1 > /proc/sys/net/ipv4/neigh/v0/mcast_solicit && "
                     "echo 20 > /proc/sys/net/ipv4/neigh/v0/retrans_time_ms") == 0;
}

// Datagrams that all sockets of this namespace have sent.
std::string datagrams_sent() {
  std::ifstream in("/proc/thread-self/net/snmp");
  std::string word;
  for (int udp = 0; udp < 2 && in >> word;) udp += word == "Udp:" ? 1 : 0;  // names, then numbers
  for (int field = 0; field < 4; ++field) in >> word;  // OutDatagrams is the fourth
  return word;
}

// Sends until the batch is empty, waiting for room. Returns how often there was none.
int send_all(UdpSocket& socket, SendBatch& batch) {
  int full = 0;
  while (!batch.empty()) {
    const std::size_t waiting = batch.pending().size();
    const SendReport report = socket.send(batch);
    EXPECT_TRUE(report.failures.empty());
    EXPECT_EQ(batch.pending().size(), waiting - report.messages);
    if (!report.would_block) continue;
    ++full;
    pollfd ready{socket.fd(), POLLOUT, 0};
    if (::poll(&ready, 1, kSocketPatienceMs) != 1) break;
  }
  return full;
}

TEST(UdpSocket, FullSocketKeepsTheRestOfTheBatch) {
  IN_NAMESPACE({
    if (!make_silent_link()) GTEST_SKIP() << "cannot make a veth pair";
    const auto socket = open_at("10.9.0.1:0", {.buffer_bytes = 4096});
    SendBatch batch(16);
    const ByteVector bytes = pattern(1000);
    while (batch.add({.to = {Address::v4(10, 9, 0, 2), 9}, .bytes = bytes})) {
    }
    EXPECT_GT(send_all(*socket, batch), 0);
    EXPECT_TRUE(batch.empty());
    EXPECT_FALSE(batch.full());
    EXPECT_EQ(datagrams_sent(), "16");
  });
}

TEST(UdpSocket, FullSocketInTheMiddleOfSegmentsGoesOnThere) {
  IN_NAMESPACE({
    if (!make_silent_link()) GTEST_SKIP() << "cannot make a veth pair";
    const auto socket = open_at("10.9.0.1:0", {.buffer_bytes = 4096});
    socket->disable_gso();
    SendBatch batch(2);
    const ByteVector bytes = pattern(1000 * 9 + 1);
    const Endpoint to{Address::v4(10, 9, 0, 2), 9};
    batch.add({.to = to, .bytes = bytes, .segment_size = 1000});
    batch.add({.to = to, .bytes = std::span(bytes).first(5)});
    EXPECT_GT(send_all(*socket, batch), 0);
    EXPECT_EQ(datagrams_sent(), "11");
  });
}

// Linux ip(7): with IP_PMTUDISC_PROBE only the device's own MTU is refused.
TEST(UdpSocket, SegmentsLargerThanTheDeviceAreReportedOnceWithTheirSize) {
  IN_NAMESPACE({
    if (!make_silent_link()) GTEST_SKIP() << "cannot make a veth pair";
    const auto socket = open_at("10.9.0.1:0");
    SendBatch batch(2);
    const ByteVector bytes = pattern(1480 * 3 + 7);
    const Endpoint to{Address::v4(10, 9, 0, 2), 9};
    batch.add({.to = to, .bytes = bytes, .segment_size = 1480});  // 8 bytes too many
    batch.add({.to = to, .bytes = bytes, .segment_size = 1400});
    const SendReport report = socket->send(batch);
    EXPECT_EQ(report.messages, 2u);
    EXPECT_EQ(report.failures.size(), 1u);
    for (const SendFailure& f : report.failures) {
      EXPECT_EQ(f.why, SendError::kTooBig);
      EXPECT_EQ(f.datagram_bytes, 1480u);
      EXPECT_EQ(f.to, to);
    }
    EXPECT_TRUE(socket->gso()) << "too big is no reason to stop segmenting";
  });
}

// Kernels before 6.11 refuse to segment for a device without checksum offload; this one may not
// any more, so the refusal is played.
TEST(UdpSocket, RefusedSegmentationTurnsGsoOffAndLosesNothing) {
  const auto a = open_at("[::]:0");
  const auto b = open_at("[::]:0", {.gro = false});
  const Endpoint to{Address::v4(127, 0, 0, 1), b->local().port};
  const ByteVector bytes = pattern(1000 * 4);
  SendBatch batch(3);
  batch.add({.to = to, .bytes = std::span(bytes).first(7)});
  batch.add({.to = to, .bytes = bytes, .segment_size = 1000});
  batch.add({.to = to, .bytes = bytes, .segment_size = 2000});
  kernel_refuses_gso = true;
  const SendReport report = a->send(batch);
  kernel_refuses_gso = false;
  EXPECT_EQ(report.messages, 3u);
  EXPECT_TRUE(report.failures.empty());
  EXPECT_FALSE(a->gso());
  const Arrived in = receive(*b, 7);
  std::vector<std::size_t> sizes;
  for (const Received& r : in.pieces) sizes.push_back(r.bytes.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{7, 1000, 1000, 1000, 1000, 2000, 2000}));
}

TEST(UdpSocket, NothingIsAllocatedPerCall) {
  const auto a = open_at("[::]:0");
  const auto b = open_at("[::]:0");
  const Endpoint to{Address::v4(127, 0, 0, 1), b->local().port};
  SendBatch out(8);
  ReceiveBatch in(8);
  const ByteVector bytes = pattern(10'000);
  std::size_t datagrams = 0;
  const std::size_t before = allocations();
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 8; ++i) out.add({.to = to, .bytes = bytes, .segment_size = 1200});
    a->send(out);
    for (const Received& r : b->receive(in)) datagrams += datagrams_of(r);
  }
  EXPECT_EQ(allocations(), before);
  EXPECT_GT(datagrams, 1000u);
}

TEST(PortOwner, FreePortHasNone) {
  Endpoint free;
  {
    const auto socket = open_at("127.0.0.1:0");
    free = socket->local();
    const auto owner = port_owner(Transport::kUdp, free);
    ASSERT_TRUE(owner);
    EXPECT_EQ(owner->pid, ::getpid());
    EXPECT_EQ(owner->program, "io_test");
    EXPECT_FALSE(port_owner(Transport::kUdp, {Address::v4(127, 0, 0, 99), free.port}));
    EXPECT_TRUE(port_owner(Transport::kUdp, {{}, free.port}));
  }
  EXPECT_FALSE(port_owner(Transport::kUdp, free));
}

}  // namespace
}  // namespace ginnel::io
