#include "runtime/names/dns_message.h"

#include <gtest/gtest.h>

namespace ginnel::dns {
namespace {

// `dig +noedns Bob.Home.ginnel.internal`, as it leaves: id 0x1234, recursion desired, one question.
const char* const kQuestion =
    "123401000001000000000000"
    "03426f6204486f6d650667696e6e656c08696e7465726e616c00"
    "00010001";

ByteVector bytes(std::string_view hex) { return from_hex(hex).value(); }

std::string answered(const Query& query, const Answer& answer) {
  ByteVector out(kMessageBytesMax);
  out.resize(write_answer(query, answer, out));
  return to_hex(out);
}

TEST(DnsMessage, AQuestionIsReadInLowerCase) {
  const auto query = parse_query(bytes(kQuestion));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->id, 0x1234);
  EXPECT_TRUE(query->recursion_desired);
  EXPECT_EQ(query->name, "bob.home.ginnel.internal");
  EXPECT_EQ(query->type, 1);
  EXPECT_EQ(query->trouble, Rcode::kNone);
}

// RFC 1035 section 4.1.1: the answer repeats id, RD and the question, and sets QR and AA.
TEST(DnsMessage, AnAnswerRepeatsTheQuestionAndHasTheAddressesOfItsType) {
  const auto query = parse_query(bytes(kQuestion));
  const Answer answer{.ttl_seconds = 5,
                      .addresses = {Address::v4(10, 66, 0, 3), *Address::parse("fd3a::3")}};
  EXPECT_EQ(answered(*query, answer), "123485000001000100000000" +
                                          std::string(kQuestion).substr(24) +
                                          "c00c00010001000000050004" + "0a420003");
}

TEST(DnsMessage, AnIpv6AddressIsSixteenBytes) {
  ByteVector question = bytes(kQuestion);
  question[question.size() - 3] = std::byte{28};
  const auto query = parse_query(question);
  const std::string hex =
      answered(*query, {.ttl_seconds = 5, .addresses = {*Address::parse("fd3a::3")}});
  EXPECT_EQ(hex.substr(hex.size() - 56),
            "c00c001c0001000000050010fd3a0000000000000000000000000003");
}

TEST(DnsMessage, AnotherTypeOfAKnownNameIsAnEmptyAnswer) {
  ByteVector question = bytes(kQuestion);
  question[question.size() - 3] = std::byte{15};  // MX
  const auto query = parse_query(question);
  const std::string hex = answered(*query, {.addresses = {Address::v4(10, 66, 0, 3)}});
  EXPECT_EQ(hex.substr(0, 24), "123485000001000000000000");
}

TEST(DnsMessage, EveryTruncationOfAQuestionIsDroppedOrAFormatError) {
  const ByteVector whole = bytes(kQuestion);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto query = parse_query(ConstBytes(whole).first(size));
    if (size < 12) {
      ASSERT_FALSE(query);
      EXPECT_EQ(query.error(), Drop::kTooShort);
    } else {
      ASSERT_TRUE(query);
      EXPECT_EQ(query->trouble, Rcode::kFormat) << size;
      EXPECT_EQ(answered(*query, {}).substr(0, 8), "12348101");
    }
  }
}

TEST(DnsMessage, AResponseIsNeverAnswered) {
  ByteVector response = bytes(kQuestion);
  response[2] |= std::byte{0x80};
  const auto query = parse_query(response);
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error(), Drop::kNotAQuery);
}

TEST(DnsMessage, AnotherOperationIsNotImplementedAndAnotherClassRefused) {
  ByteVector update = bytes(kQuestion);
  update[2] = std::byte{5 << 3};
  EXPECT_EQ(parse_query(update)->trouble, Rcode::kNotImplemented);
  ByteVector chaos = bytes(kQuestion);
  chaos.back() = std::byte{3};
  EXPECT_EQ(parse_query(chaos)->trouble, Rcode::kRefused);
}

TEST(DnsMessage, ANameOfMoreThan255BytesOrAPointerIsAFormatError) {
  std::string longest = std::string(kQuestion).substr(0, 24);
  for (int i = 0; i < 5; ++i) longest += "3f" + to_hex(bytes_of(std::string(63, 'a')));
  EXPECT_EQ(parse_query(bytes(longest + "0000010001"))->trouble, Rcode::kFormat);
  const std::string pointer = std::string(kQuestion).substr(0, 24) + "c00c00010001";
  EXPECT_EQ(parse_query(bytes(pointer))->trouble, Rcode::kFormat);
}

TEST(DnsMessage, ADotInsideALabelIsNotOneBetweenTwo) {
  const std::string hex = std::string(kQuestion).substr(0, 24) + "05612e622e6300" + "00010001";
  EXPECT_EQ(parse_query(bytes(hex))->name, "a\\b\\c");
}

// RFC 1035 section 4.1.1: TC says that the message was cut.
TEST(DnsMessage, WhatDoesNotFitIsCutAndSaysSo) {
  const auto query = parse_query(bytes(kQuestion));
  const Answer answer{.addresses = std::vector(40, Address::v4(10, 66, 0, 3))};
  ByteVector out(kMessageBytesMax);
  const std::size_t size = write_answer(*query, answer, out);
  EXPECT_LE(size, kMessageBytesMax);
  EXPECT_EQ(to_hex(ConstBytes(out).subspan(2, 1)), "87");
  EXPECT_EQ(std::to_integer<int>(out[7]), 29);
}

}  // namespace
}  // namespace ginnel::dns
