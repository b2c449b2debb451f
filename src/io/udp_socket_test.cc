// Real sockets on the loopback device, with ports that the kernel chooses.
#include "io/udp_socket.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstring>

#include "io/port_owner.h"
#include "io/test_allocations.h"

namespace ginnel::io {
namespace {

constexpr int kPatienceMs = 5000;

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
    if (::poll(&ready, 1, kPatienceMs) != 1) break;
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

// DESIGN section 3: sockets set IP_MTU_DISCOVER = PROBE; EMSGSIZE lowers a path.
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
    EXPECT_EQ(report.failures[0].why, SendError::kSourceGone);
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

// A low TTL primes a NAT without reaching the other one (DESIGN section 6).
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

// CLI.md, "Many nodes on a host".
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
  ASSERT_EQ(::poll(&ready, 1, kPatienceMs), 1);
  const auto in = b->receive(small);
  ASSERT_EQ(in.size(), 1u);
  EXPECT_EQ(in[0].bytes.size(), 100u);
  EXPECT_EQ(b->truncated(), 1u);
}

TEST(UdpSocket, FullSocketKeepsTheRestOfTheBatch) {
  const auto a = open_at("127.0.0.1:0", {.buffer_bytes = 4096});
  const auto b = open_at("127.0.0.1:0", {.gro = false});
  // On the loopback device a datagram leaves the sender's buffer only when it is read, so a small
  // buffer fills up.
  SendBatch batch(64);
  const ByteVector bytes = pattern(1000);
  while (batch.add({.to = b->local(), .bytes = bytes})) {
  }
  const SendReport report = a->send(batch);
  ASSERT_TRUE(report.would_block);
  ASSERT_GT(report.messages, 0u);
  EXPECT_EQ(batch.pending().size(), 64 - report.messages);
  std::size_t arrived = receive(*b, report.messages).datagrams;
  while (!batch.empty()) {
    const SendReport more = a->send(batch);
    ASSERT_GT(more.messages, 0u);
    arrived += receive(*b, more.messages).datagrams;
  }
  EXPECT_EQ(arrived, 64u);
  EXPECT_FALSE(batch.full());
}

TEST(UdpSocket, FullSocketInTheMiddleOfSegmentsGoesOnThere) {
  const auto a = open_at("127.0.0.1:0", {.buffer_bytes = 4096});
  const auto b = open_at("127.0.0.1:0", {.gro = false});
  a->disable_gso();
  SendBatch batch(1);
  const ByteVector bytes = pattern(1000 * 20);
  bool blocked = send(*a, batch, {.to = b->local(), .bytes = bytes, .segment_size = 1000}).would_block;
  ASSERT_TRUE(blocked);
  ByteVector joined;
  for (int i = 0; i < 100 && joined.size() < bytes.size(); ++i) {
    const Arrived in = receive(*b, 1);
    for (const Received& r : in.pieces) joined.insert(joined.end(), r.bytes.begin(), r.bytes.end());
    if (!batch.empty()) a->send(batch);
  }
  EXPECT_TRUE(equal(joined, bytes));
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
