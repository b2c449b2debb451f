#include "proto/stun/binding_server.h"

#include <gtest/gtest.h>

#include "proto/stun/request.h"
#include "proto/stun/testing/hex_file.h"

namespace ginnel::stun {
namespace {

const Endpoint kClient = *Endpoint::parse("198.51.100.7:4164");
const Endpoint kClient6 = *Endpoint::parse("[2001:db8::7]:4164");

struct Hub {
  BindingServer server{
      {.address = *Address::parse("203.0.113.9"), .main_port = 7700, .probe_port = 7701}};
  ByteVector out = ByteVector(1500);
  Instant now;
  BindingServer::Answer last;

  Result<Message, Drop> ask(ConstBytes request, const Endpoint& from = kClient,
                            ServerPort on = ServerPort::kMain) {
    const auto answer = server.handle_request(now, from, on, request, out);
    if (!answer) return Fail(answer.error());
    last = *answer;
    return Message::parse(ConstBytes(out).first(answer->size));
  }
};

ByteVector request(const Message& m) {
  ByteVector out(1500);
  out.resize(m.write(out));
  return out;
}
Message plain() {
  Message m;
  m.transaction = make_transaction({7});
  return m;
}

TEST(BindingServer, TellsAClientItsXorMappedAddress) {
  Hub hub;
  const auto answer = hub.ask(request(plain()));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->type, kBindingResponse);
  EXPECT_EQ(answer->xor_mapped, kClient);
  EXPECT_FALSE(answer->mapped);
  EXPECT_EQ(answer->transaction, plain().transaction);
  EXPECT_EQ(hub.last.from, ServerPort::kMain);
}

// RFC 8489 section 11: a request without cookie comes from an RFC 3489 client.
TEST(BindingServer, TellsAnOldClientItsMappedAddress) {
  Hub hub;
  const auto answer = hub.ask(testing::hex_file("stun-client-0.97-request.hex"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->mapped, kClient);
  EXPECT_FALSE(answer->xor_mapped);
  EXPECT_EQ(hub.last.size + 28, 72u);  // bytes at IP level for a request of 56
}

TEST(BindingServer, AnswersFromTheOtherPortWhenAsked) {
  Hub hub;
  Message m = plain();
  m.change = ChangeRequest{.port = true};
  ASSERT_TRUE(hub.ask(request(m)));
  EXPECT_EQ(hub.last.from, ServerPort::kProbe);
  ASSERT_TRUE(hub.ask(request(m), kClient, ServerPort::kProbe));
  EXPECT_EQ(hub.last.from, ServerPort::kMain);
}

// RFC 8489 section 6.3.1.
TEST(BindingServer, RefusesAChangeOfAddressWith420) {
  Hub hub;
  Message m = plain();
  m.change = ChangeRequest{.address = true, .port = true};
  const auto answer = hub.ask(request(m));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->type, kBindingError);
  EXPECT_EQ(answer->error->code, 420);
  EXPECT_EQ(answer->unknown->types[0], 0x0003);
  EXPECT_EQ(hub.last.from, ServerPort::kMain);
}

TEST(BindingServer, IsSilentToAnOldClientThatAsksForAnotherAddress) {
  Hub hub;
  Message m = plain();
  m.transaction[0] = 0;  // no cookie
  m.change = ChangeRequest{.address = true};
  EXPECT_EQ(hub.ask(request(m)).error(), Drop::kUnanswerable);
}

TEST(BindingServer, WithoutProbePortRefusesAChangeOfPort) {
  Hub hub{.server = BindingServer({.address = *Address::parse("203.0.113.9"), .main_port = 7700})};
  Message m = plain();
  m.change = ChangeRequest{.port = true};
  EXPECT_EQ(hub.ask(request(m))->error->code, 420);
}

TEST(BindingServer, RefusesRequiredAttributesItDoesNotKnow) {
  Hub hub;
  Message m = plain();
  m.software = bytes_of("xxxx");
  auto bytes = request(m);
  bytes[kHeaderBytes] = std::byte{0x7f};
  EXPECT_EQ(hub.ask(bytes)->unknown->types[0], 0x7f22);
}

TEST(BindingServer, AnswersNothingButRequests) {
  Hub hub;
  Message m = plain();
  m.type = kBindingResponse;
  EXPECT_EQ(hub.ask(request(m)).error(), Drop::kNotRequest);
  m.type = 0x0011;  // an indication
  EXPECT_EQ(hub.ask(request(m)).error(), Drop::kNotRequest);
}

// Reflection: at IP level at most 1.4 times the request (48 -> 60 IPv4, 68 -> 92 IPv6).
TEST(BindingServer, NeverAnswersWithMuchMoreThanItWasSent) {
  Hub hub;
  for (const Endpoint& from : {kClient, kClient6}) {
    const std::size_t headers = from.address.is_v4() ? 28 : 48;
    for (std::size_t padding = 0; padding < 120; padding += 4) {
      Message m = plain();
      if (padding > 0) m.padding = padding - 4;
      const auto bytes = request(m);
      hub.now = hub.now + 1s;
      ASSERT_TRUE(hub.ask(bytes, from));
      EXPECT_LE(hub.last.size + headers, (bytes.size() + headers) * 14 / 10);
    }
    ASSERT_TRUE(hub.ask(request(plain()), from));
    EXPECT_EQ(hub.last.size + headers, from.address.is_v4() ? 60u : 92u);
  }
}

TEST(BindingServer, OurOwnRequestIsNeverAnsweredWithMore) {
  Hub hub;
  ByteVector bytes(kRequestBytes);
  ASSERT_EQ(write_request({.transaction = make_transaction({9})}, bytes), kRequestBytes);
  for (const Endpoint& from : {kClient, kClient6}) {
    const auto answer = hub.ask(bytes, from);
    ASSERT_TRUE(answer);
    EXPECT_LE(hub.last.size, bytes.size());
    EXPECT_EQ(answer->other->port, 7701);
  }
}

TEST(BindingServer, HandsOutItsCertificateWhenTheRequestIsAsLarge) {
  Hub hub;
  const ByteVector chain(500, std::byte{0xcc});
  hub.server.set_certificate(chain);
  ByteVector bytes(kCertRequestBytes);
  ASSERT_GT(write_request({.want_certificate = true, .size = kCertRequestBytes}, bytes), 0u);
  // write_request leaves the transaction to the caller; without the cookie it is an old request.
  const auto transaction = make_transaction({1});
  std::ranges::copy(bytes_of(transaction), bytes.begin() + 4);
  const auto answer = hub.ask(bytes);
  ASSERT_TRUE(answer && answer->certificate);
  EXPECT_TRUE(equal(*answer->certificate, chain));
  EXPECT_LE(hub.last.size, bytes.size());
}

TEST(BindingServer, LeavesOutACertificateThatWouldMakeTheAnswerLarger) {
  Hub hub;
  hub.server.set_certificate(ByteVector(580, std::byte{0xcc}));
  ByteVector bytes(kCertRequestBytes);
  ASSERT_GT(write_request({.transaction = make_transaction({1}),
                           .want_certificate = true,
                           .size = kCertRequestBytes},
                          bytes),
            0u);
  const auto answer = hub.ask(bytes);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->certificate);
  EXPECT_EQ(answer->xor_mapped, kClient);
}

TEST(BindingServer, TellsItsClockToThoseWhoAskAsItGoesOn) {
  Hub hub;
  hub.server.set_wall(hub.now, Wall{1'800'000'000'000'000'000});
  hub.now = hub.now + std::chrono::seconds(5);
  ByteVector bytes(kRequestBytes);
  ASSERT_GT(write_request({.transaction = make_transaction({1}), .want_clock = true}, bytes), 0u);
  const auto answer = hub.ask(bytes);
  ASSERT_TRUE(answer && answer->clock && answer->clock->wall);
  EXPECT_EQ(answer->clock->wall->ns, 1'800'000'005'000'000'000);
  EXPECT_TRUE(answer->other);
  EXPECT_FALSE(hub.ask(request(plain()))->clock);
}

TEST(BindingServer, LeavesOutAClockThatItWasNotTold) {
  Hub hub;
  ByteVector bytes(kRequestBytes);
  ASSERT_GT(write_request({.transaction = make_transaction({1}), .want_clock = true}, bytes), 0u);
  const auto answer = hub.ask(bytes);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->clock);
}

TEST(BindingServer, FallsSilentToANetworkThatAsksTooOften) {
  Hub hub;
  int answered = 0;
  for (std::uint8_t i = 0; i < 200; ++i) {
    const Endpoint from{Address::v4(198, 51, 100, i), 1000};
    if (hub.ask(request(plain()), from)) ++answered;
  }
  EXPECT_EQ(answered, 50);
  EXPECT_EQ(hub.ask(request(plain())).error(), Drop::kRateLimited);
  EXPECT_TRUE(hub.ask(request(plain()), *Endpoint::parse("198.51.101.1:1")));
}

}  // namespace
}  // namespace ginnel::stun
