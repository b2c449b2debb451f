#include "proto/path/wire.h"

#include <gtest/gtest.h>

#include "base/testing/vectors.h"

namespace ginnel::path {
namespace {

CallMeMaybe call() {
  CallMeMaybe m{.transaction = 0x0102030405060708, .primed = true, .reply = false};
  m.nat = {stun::Mapping::kEim, stun::Filtering::kApdf};
  m.candidates = {{CandidateKind::kHost, *Endpoint::parse("192.168.1.2:7700")},
                  {CandidateKind::kPublic, *Endpoint::parse("[2001:db8::1]:7701")}};
  return m;
}
Probe probe() {
  return {.transaction = 0x0102030405060708, .sequence = 9, .nominate = true, .padding = 3};
}
ProbeAnswer answer() {
  return {.transaction = 0x0102030405060708,
          .sequence = 9,
          .observed = *Endpoint::parse("198.51.100.7:4164"),
          .received_bytes = 80};
}

template <class Body>
ByteVector body_bytes(const Body& body) {
  ByteVector out(2000);
  out.resize(body.write(out));
  return out;
}

template <class Body>
std::string frame_hex(const Body& body) {
  ByteVector out(2000);
  out.resize(write_frame(body, out));
  return to_hex(out);
}

// docs/wire/ginnel.md sections 8 and 13.
TEST(PathFrames, HaveTheBytesOfTheDocument) {
  const auto vectors = ginnel::testing::read_vectors(GINNEL_TESTDATA "/vectors.txt");
  EXPECT_EQ(frame_hex(call()), vectors.at("CALL_ME_MAYBE"));
  EXPECT_EQ(frame_hex(probe()), vectors.at("PROBE"));
  EXPECT_EQ(frame_hex(answer()), vectors.at("PROBE_ANSWER"));
}

TEST(PathFrames, TheDocumentQuotesTheVectors) {
  const auto text = ginnel::testing::read_text_file(GINNEL_TESTDATA "/vectors.txt");
  const auto document =
      ginnel::testing::read_text_file(GINNEL_TESTDATA "/../../../../docs/wire/ginnel.md");
  ASSERT_FALSE(text.empty());
  EXPECT_NE(document.find(text), std::string::npos);
}

TEST(PathFrames, ReadWhatTheyWrite) {
  EXPECT_EQ(*CallMeMaybe::parse(body_bytes(call())), call());
  EXPECT_EQ(*Probe::parse(body_bytes(probe())), probe());
  EXPECT_EQ(*ProbeAnswer::parse(body_bytes(answer())), answer());
}

TEST(PathFrames, CarryTypeAndLengthBeforeTheBody) {
  ByteVector out(100);
  const std::size_t size = write_frame(answer(), out);
  EXPECT_EQ(size, 3 + ProbeAnswer::kBytes);
  EXPECT_EQ(to_hex(ConstBytes(out).first(3)), "222000");
}

TEST(PathFrames, AreRefusedAtEveryTruncation) {
  const auto c = body_bytes(call());
  for (std::size_t i = 0; i < c.size(); ++i) {
    EXPECT_EQ(CallMeMaybe::parse(ConstBytes(c).first(i)).error(), Drop::kTooShort) << i;
  }
  for (std::size_t i = 0; i < Probe::kFixedBytes; ++i) {
    EXPECT_EQ(Probe::parse(ConstBytes(body_bytes(probe())).first(i)).error(), Drop::kTooShort) << i;
  }
  const auto a = body_bytes(answer());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(ProbeAnswer::parse(ConstBytes(a).first(i)).error(), Drop::kTooShort) << i;
  }
}

TEST(PathFrames, AreRefusedWithTrailingBytes) {
  auto c = body_bytes(call());
  c.push_back({});
  EXPECT_EQ(CallMeMaybe::parse(c).error(), Drop::kTrailing);
  auto a = body_bytes(answer());
  a.push_back({});
  EXPECT_EQ(ProbeAnswer::parse(a).error(), Drop::kTrailing);
}

TEST(PathFrames, RefuseReservedBitsAndUnknownValues) {
  for (const std::size_t at : {8u, 9u, 10u, 12u}) {  // flags, mapping, filtering, first kind
    auto c = body_bytes(call());
    c[at] = std::byte{0x05} << 2;
    EXPECT_EQ(CallMeMaybe::parse(c).error(), Drop::kBadField) << at;
  }
  auto p = body_bytes(probe());
  p[12] = std::byte{2};
  EXPECT_EQ(Probe::parse(p).error(), Drop::kBadField);
  p = body_bytes(probe());
  p.back() = std::byte{1};
  EXPECT_EQ(Probe::parse(p).error(), Drop::kBadField);
}

// A hostile peer may list a thousand.
TEST(PathFrames, RefuseMoreThanSixteenCandidates) {
  CallMeMaybe m = call();
  m.candidates.resize(16, m.candidates[0]);
  EXPECT_TRUE(CallMeMaybe::parse(body_bytes(m)));
  auto bytes = body_bytes(m);
  bytes[11] = std::byte{17};
  EXPECT_EQ(CallMeMaybe::parse(bytes).error(), Drop::kTooMany);
  m.candidates.resize(17);
  EXPECT_TRUE(body_bytes(m).empty());
}

}  // namespace
}  // namespace ginnel::path
