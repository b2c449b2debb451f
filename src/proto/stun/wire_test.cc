#include "proto/stun/wire.h"

#include <gtest/gtest.h>

#include "proto/stun/testing/hex_file.h"

namespace ginnel::stun {
namespace {

using testing::hex_file;

constexpr std::array<std::uint8_t, 12> kRandom = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

ByteVector written(const Message& m) {
  ByteVector out(2000);
  out.resize(m.write(out));
  return out;
}

Message full_response() {
  Message m;
  m.type = kBindingResponse;
  m.transaction = make_transaction(kRandom);
  m.xor_mapped = Endpoint::parse("198.51.100.7:4164");
  m.origin = Endpoint::parse("[2001:db8::1]:7700");
  m.other = Endpoint::parse("203.0.113.9:7701");
  m.software = bytes_of("ginnel");
  m.certificate = bytes_of("chain");
  m.clock = ClockReading{Wall{1'900'000'000'123'456'789}};
  m.padding = 7;
  m.fingerprint = true;
  return m;
}

// RFC 5769 section 2.2.
TEST(StunMessage, ReadsTheIpv4ResponseOfTheTestVectors) {
  const auto bytes = hex_file("rfc5769-response-v4.hex");
  const auto m = Message::parse(bytes);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->xor_mapped->text(), "192.0.2.1:32853");
  EXPECT_EQ(text_of(*m->software), "test vector");
  EXPECT_TRUE(m->fingerprint);
}

// RFC 5769 section 2.3.
TEST(StunMessage, ReadsTheIpv6ResponseOfTheTestVectors) {
  const auto bytes = hex_file("rfc5769-response-v6.hex");
  const auto m = Message::parse(bytes);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->xor_mapped->text(), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

// docs/wire/ginnel.md section 11: the attribute of a response, bytes as they are there.
TEST(StunMessage, WritesTheVectorOfGinnelTime) {
  Message m;
  m.type = kBindingResponse;
  m.transaction = make_transaction(kRandom);
  m.clock = ClockReading{Wall{1'800'000'000'500'000'000}};
  const auto bytes = written(m);
  EXPECT_EQ(to_hex(ConstBytes(bytes).subspan(kHeaderBytes)), "c61f000818fae276b1816500");
  EXPECT_EQ(Message::parse(bytes)->clock, m.clock);
}

TEST(StunMessage, RefusesATimeOfAnotherLengthOrBeyondItsLast) {
  Message m;
  m.transaction = make_transaction(kRandom);
  m.clock = ClockReading{Wall{std::int64_t{1} << 62}};
  auto bytes = written(m);
  EXPECT_TRUE(Message::parse(bytes));
  bytes.back() = std::byte{1};
  EXPECT_EQ(Message::parse(bytes).error(), Drop::kBadAttribute);
  bytes.resize(bytes.size() - 4);
  bytes[3] = std::byte{8};
  bytes[kHeaderBytes + 3] = std::byte{4};
  EXPECT_EQ(Message::parse(bytes).error(), Drop::kBadAttribute);
}

// RFC 3489 section 11.1: 128 bits of transaction id, no cookie.
TEST(StunMessage, ReadsTheRequestOfTheOldClientOfDebian) {
  const auto bytes = hex_file("stun-client-0.97-request.hex");
  const auto m = Message::parse(bytes);
  ASSERT_TRUE(m);
  EXPECT_FALSE(m->has_cookie());
  ASSERT_TRUE(m->change);
  EXPECT_EQ(*m->change, (ChangeRequest{.address = false, .port = false}));
  EXPECT_EQ(m->not_understood.count, 0u);
}

TEST(StunMessage, WritesWhatItReads) {
  const auto bytes = written(full_response());
  const auto m = Message::parse(bytes);
  ASSERT_TRUE(m);
  EXPECT_EQ(written(*m), bytes);
  EXPECT_EQ(m->xor_mapped->text(), "198.51.100.7:4164");
  EXPECT_EQ(m->other->text(), "203.0.113.9:7701");
  EXPECT_EQ(m->origin->text(), "[2001:db8::1]:7700");
  EXPECT_EQ(text_of(*m->certificate), "chain");
  EXPECT_EQ(m->padding, 7u);
}

TEST(StunMessage, WritesAnErrorWithItsUnknownAttributes) {
  Message m;
  m.type = kBindingError;
  m.transaction = make_transaction(kRandom);
  m.error = ErrorCode{.code = 420, .reason = bytes_of("no")};
  m.unknown.emplace().add(0x0003);
  const auto bytes = written(m);
  const auto back = Message::parse(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->error->code, 420);
  EXPECT_EQ(text_of(back->error->reason), "no");
  EXPECT_EQ(back->unknown->types[0], 3);
}

TEST(StunMessage, OldFormUsesTheOldNamesOfItsAddresses) {
  Message m;
  m.type = kBindingResponse;
  m.other = Endpoint::parse("203.0.113.9:7701");
  const auto bytes = written(m);
  EXPECT_EQ(to_hex(ConstBytes(bytes).subspan(kHeaderBytes, 2)), "0005");  // CHANGED-ADDRESS
}

TEST(StunMessage, IsRefusedAtEveryTruncation) {
  const auto bytes = written(full_response());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Message::parse(ConstBytes(bytes).first(size))) << size;
  }
}

TEST(StunMessage, IsRefusedWithTrailingBytes) {
  auto bytes = written(full_response());
  bytes.resize(bytes.size() + 4);
  EXPECT_EQ(Message::parse(bytes).error(), Drop::kNotStun);
}

TEST(StunMessage, IsRefusedWhenAnAttributeLeavesItsBounds) {
  auto bytes = written(full_response());
  bytes[kHeaderBytes + 2] = std::byte{0xff};
  EXPECT_EQ(Message::parse(bytes).error(), Drop::kTooShort);
}

TEST(StunMessage, IsRefusedWhenItsFingerprintDoesNotMatch) {
  auto bytes = written(full_response());
  bytes[9] ^= std::byte{1};
  EXPECT_EQ(Message::parse(bytes).error(), Drop::kBadFingerprint);
}

TEST(StunMessage, IsRefusedWithAnAddressOfNoFamily) {
  auto bytes = written(full_response());
  bytes[kHeaderBytes + 5] = std::byte{3};
  EXPECT_EQ(Message::parse(bytes).error(), Drop::kBadAttribute);
}

// RFC 8489 section 14: "only the first occurrence needs to be processed".
TEST(StunMessage, FirstOfTwoEqualAttributesCounts) {
  Message m;
  m.transaction = make_transaction(kRandom);
  m.software = bytes_of("one!");
  auto bytes = written(m);
  m.software = bytes_of("two!");
  const auto second = written(m);
  bytes.insert(bytes.end(), second.begin() + kHeaderBytes, second.end());
  bytes[3] = std::byte{16};
  EXPECT_EQ(text_of(*Message::parse(bytes)->software), "one!");
}

// RFC 8489 section 6.3.1: the required half of the attribute space is below 0x8000.
TEST(StunMessage, TellsOnlyTheRequiredAttributesItDoesNotKnow) {
  Message m;
  m.transaction = make_transaction(kRandom);
  m.software = bytes_of("xxxx");
  auto bytes = written(m);
  bytes[kHeaderBytes] = std::byte{0x7f};
  EXPECT_EQ(Message::parse(bytes)->not_understood.types[0], 0x7f22);
  bytes[kHeaderBytes] = std::byte{0xff};
  EXPECT_EQ(Message::parse(bytes)->not_understood.count, 0u);
}

TEST(StunMessage, IsNotWrittenIntoTooSmallABuffer) {
  const auto size = written(full_response()).size();
  for (std::size_t room = 0; room < size; ++room) {
    ByteVector out(room);
    EXPECT_EQ(full_response().write(out), 0u) << room;
  }
}

TEST(IsStun, TakesTheCookieAndAtHubsAlsoOldRequests) {
  const auto modern = written(full_response());
  const auto old = hex_file("stun-client-0.97-request.hex");
  EXPECT_TRUE(is_stun(modern));
  EXPECT_FALSE(is_stun(old));
  EXPECT_TRUE(is_stun(old, Accept::kOldRequestsToo));
}

TEST(IsStun, RefusesWireGuardRelayAndWrongLengths) {
  ByteVector wireguard(148);
  wireguard[0] = std::byte{1};
  EXPECT_FALSE(is_stun(wireguard, Accept::kOldRequestsToo));
  ByteVector relay(64, std::byte{0x80});
  EXPECT_FALSE(is_stun(relay, Accept::kOldRequestsToo));
  auto longer = written(full_response());
  longer.push_back({});
  EXPECT_FALSE(is_stun(longer, Accept::kOldRequestsToo));
  EXPECT_FALSE(is_stun({}));
}

}  // namespace
}  // namespace ginnel::stun
