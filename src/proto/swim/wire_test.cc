#include "proto/swim/wire.h"

#include <gtest/gtest.h>

#include "proto/swim/limits.h"
#include "proto/swim/msgpack.h"
#include "proto/swim/testing/vectors.h"
#include "proto/swim/unfold.h"

namespace ginnel::swim {
namespace {

ByteVector hex(std::string_view text) { return *from_hex(text); }

TEST(Wire, EveryTruncationOfEveryMessageIsTooShort) {
  const Ping ping{SequenceNumber(70'000), "node", {Address::v4(1, 2, 3, 4), 5}, "me"};
  const Alive alive{Incarnation(300), "n", {Address::v4(1, 2, 3, 4), 5}, bytes_of("meta"), Vsn()};
  const ByteVector a = encode(ping), b = encode(alive);
  for (std::size_t i = 1; i < a.size(); ++i) {
    EXPECT_EQ(Ping::parse(ConstBytes(a).first(i).subspan(1)).error(), Drop::kTooShort) << i;
  }
  for (std::size_t i = 1; i < b.size(); ++i) {
    EXPECT_EQ(Alive::parse(ConstBytes(b).first(i).subspan(1)).error(), Drop::kTooShort) << i;
  }
}

TEST(Wire, UnknownKeysOfEveryTypeAreSkippedAndMissingOnesLeaveZero) {
  // {"x": [1, {"y": nil}, 1.5 (f64), ext8], "SeqNo": 7, "z": str8}
  const ByteVector bytes = hex("83a1789401" "81a179c0" "cb3ff8000000000000" "c70201aabb"
                               "a55365714e6f07" "a17ad90161");
  const auto p = Ping::parse(bytes);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->seq, SequenceNumber(7));
  EXPECT_TRUE(p->node.empty());
}

TEST(Wire, ABodyAsAnArrayIsReadInTheOrderOfGosStruct) {
  const ByteVector bytes = hex("9305a16ea166");  // Incarnation, Node, From
  const auto s = Suspect::parse(bytes);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->incarnation, Incarnation(5));
  EXPECT_EQ(s->node, "n");
  EXPECT_EQ(s->from, "f");
}

TEST(Wire, AllIntegerFormsAreReadAndNegativeOrTooLargeOnesRefused) {
  const std::string key = "81a55365714e6f";
  for (const char* seven : {"07", "cc07", "cd0007", "ce00000007", "cf0000000000000007", "d007",
                            "d10007", "d200000007", "d30000000000000007"}) {
    const auto n = Nack::parse(hex(key + seven));
    ASSERT_TRUE(n) << seven;
    EXPECT_EQ(n->seq, SequenceNumber(7));
  }
  for (const char* bad : {"ff", "d0ff", "d1ffff", "cf0000000100000000", "ca00000000", "a0"}) {
    EXPECT_EQ(Nack::parse(hex(key + bad)).error(), Drop::kMalformed) << bad;
  }
}

// memberlist 0.2.2 panics on it; here it counts as absent.
TEST(Wire, AVsnOfThreeBytesIsTakenAsNone) {
  Alive alive{Incarnation(1), "n", {Address::v4(1, 2, 3, 4), 5}, {}, Vsn()};
  std::string text = to_hex(encode(alive));
  text.replace(text.find("a6010502000000"), 14, "a3010502");
  const ByteVector bytes = hex(text);
  const auto back = Alive::parse(ConstBytes(bytes).subspan(1));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->vsn, kNoVsn);
}

TEST(Wire, MetaAndNamesHaveLimits) {
  Alive alive{Incarnation(1), "n", {Address::v4(1, 2, 3, 4), 5}, {}, Vsn()};
  const ByteVector fits(kMetaBytesMax), large(kMetaBytesMax + 1);
  alive.meta = fits;
  EXPECT_TRUE(Alive::parse(ConstBytes(encode(alive)).subspan(1)));
  alive.meta = large;
  EXPECT_EQ(Alive::parse(ConstBytes(encode(alive)).subspan(1)).error(), Drop::kTooLarge);
  const std::string name(kNameBytesMax + 1, 'n');
  EXPECT_EQ(Suspect::parse(ConstBytes(encode(Suspect{{}, name, "f"})).subspan(1)).error(),
            Drop::kTooLarge);
}

TEST(Wire, V4MappedAddressesOf16BytesAreV4) {
  const auto p = Alive::parse(hex("82a441646472b000000000000000000000ffff01020304a44e6f6465a16e"));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->endpoint.address, Address::v4(1, 2, 3, 4));
}

TEST(Wire, Ipv6AddressesTake16Bytes) {
  const Alive alive{Incarnation(1), "n", *Endpoint::parse("[2001:db8::1]:7"), {}, Vsn()};
  const ByteVector bytes = encode(alive);
  EXPECT_EQ(Alive::parse(ConstBytes(bytes).subspan(1))->endpoint, alive.endpoint);
}

struct Visitor {
  std::size_t messages = 0;
  std::vector<Drop> drops;
  void on_message(MessageType, ConstBytes) { ++messages; }
  void on_drop(Drop why) { drops.push_back(why); }
};

Visitor unfolded(ConstBytes message) {
  Visitor out;
  Unfolder(out).unfold(message);
  return out;
}

// Each of these ended Debian's serf 0.9.4.
TEST(Unfold, MessagesOfNoBytesAreRefused) {
  EXPECT_EQ(unfolded(hex("07010000")).drops, std::vector{Drop::kEmpty});
  EXPECT_EQ(unfolded(hex("0982a4416c676f00a3427566a3000302")).drops, std::vector{Drop::kEmpty});
  ByteVector scratch;
  EXPECT_EQ(Framer({}).open_datagram(hex("0c00000000"), scratch).error(), Drop::kEmpty);
  EXPECT_EQ(Framer({}).open_datagram({}, scratch).error(), Drop::kEmpty);
}

TEST(Unfold, WhatCameWholeOfACutCompoundIsKept) {
  const auto v = unfolded(hex("0702000200050801080203"));
  EXPECT_EQ(v.messages, 1u);
  EXPECT_EQ(v.drops, std::vector{Drop::kTooShort});
  EXPECT_EQ(unfolded(hex("070300")).drops, std::vector{Drop::kTooShort});
}

TEST(Unfold, ACompoundOf255PartsIsRead) {
  const std::vector<ByteVector> parts(255, hex("0801"));
  ByteVector compound;
  write_compound(parts, compound);
  EXPECT_EQ(unfolded(compound).messages, 255u);
}

TEST(Unfold, FramesWithinFramesEndAtALimit) {
  ByteVector message = hex("0801");
  for (int i = 0; i < kNestingMax; ++i) {
    EXPECT_EQ(unfolded(message).messages, 1u) << i;
    ByteVector outer;
    write_compressed(message, outer);
    message = outer;
  }
  EXPECT_EQ(unfolded(message).messages, 1u);
  ByteVector outer;
  write_compressed(message, outer);
  EXPECT_EQ(unfolded(outer).drops, std::vector{Drop::kNested});
}

TEST(Unfold, ADecompressionBombEndsAtALimit) {
  ByteVector bomb, part;
  write_compressed(ByteVector(kDatagramPlainBytesMax + 5000), bomb);
  EXPECT_LT(bomb.size(), 10'000u);
  EXPECT_EQ(unfolded(bomb).drops, std::vector{Drop::kTooLarge});
  // Many smaller ones in one packet share the limit.
  write_compressed(ByteVector(300'000, std::byte{8}), part);
  ByteVector compound;
  write_compound(std::vector<ByteVector>(10, part), compound);
  const auto v = unfolded(compound);
  EXPECT_EQ(v.messages, 3u);
  EXPECT_EQ(v.drops.size(), 7u);
}

TEST(Frame, ABadChecksumIsRefusedAndOneInsideAFrameIsNoMessage) {
  testing::Vectors vectors;
  ByteVector damaged = to_vector(vectors["5"]);
  damaged.back() ^= std::byte{1};
  ByteVector scratch;
  EXPECT_EQ(Framer({}).open_datagram(damaged, scratch).error(), Drop::kBadCrc);
}

TEST(Frame, EncryptedAndPlainMeetAsTheVerifyFlagsSay) {
  Framer sealed({}), plain({});
  sealed.keys().install(*crypto::AesKey::from(ByteVector(16))).value();
  Rng rng = Rng::from_seed(1);
  ByteVector scratch, out;
  EXPECT_EQ(sealed.open_datagram(hex("0801"), scratch).error(), Drop::kNotEncrypted);
  sealed.set_verify(false, false);
  EXPECT_TRUE(sealed.open_datagram(hex("0801"), scratch));
  sealed.seal_datagram(hex("0801"), {}, rng, out);
  EXPECT_EQ(to_hex(out), "0801");
  sealed.set_verify(true, true);
  out.clear();
  sealed.seal_datagram(hex("0801"), {}, rng, out);
  EXPECT_EQ(to_hex(*sealed.open_datagram(out, scratch)), "0801");
  EXPECT_EQ(out.size(), 2 + KeyRing::kOverheadBytes);
}

TEST(KeyRing, TheFirstKeySealsAllOpenAndThePrimaryStays) {
  const ByteVector a(16, std::byte{1}), b(32, std::byte{2});
  KeyRing ring, other;
  Rng rng = Rng::from_seed(1);
  ring.install(*crypto::AesKey::from(a)).value();
  ring.install(*crypto::AesKey::from(b)).value();
  other.install(*crypto::AesKey::from(b)).value();
  ByteVector out, scratch;
  ring.seal(1, {}, {}, hex("0801"), rng, out);
  EXPECT_EQ(other.open(out, {}, {}, scratch).error(), Drop::kWrongKey);
  ring.use(b).value();
  out.clear();
  ring.seal(0, {}, {}, hex("0801"), rng, out);
  EXPECT_EQ(to_hex(*other.open(out, {}, {}, scratch)), "0801");
  EXPECT_EQ(ring.remove(b).error(), KeyError::kPrimaryKey);
  EXPECT_TRUE(ring.remove(a));
  EXPECT_EQ(ring.remove(a).error(), KeyError::kNoSuchKey);
  EXPECT_EQ(ring.use(a).error(), KeyError::kNoSuchKey);
}

// memberlist verifyProtocol; the last row is a real serf cluster's answer to a plain member.
TEST(Vsn, RangesOfTheLivingMustHoldWhatAllSpeak) {
  const auto fits = [](std::vector<VersionRow> rows) { return check_versions(rows).has_value(); };
  EXPECT_TRUE(fits({{"a", {1, 5, 2, 2, 5, 4}}, {"b", {1, 5, 2, 2, 5, 5}}}));
  EXPECT_FALSE(fits({{"a", {1, 3, 2, 0, 0, 0}}, {"b", {1, 5, 4, 0, 0, 0}}}));
  EXPECT_FALSE(fits({{"a", {1, 2, 2, 0, 0, 0}}, {"dead", {1, 5, 4, 0, 0, 0}, false}}));
  EXPECT_TRUE(fits({{"a", {1, 5, 2, 0, 0, 0}}, {"dead", {2, 2, 2, 0, 0, 0}, false}}));
  EXPECT_FALSE(fits({{"serf", {1, 5, 2, 2, 5, 5}}, {"plain", {1, 5, 2, 0, 0, 0}}}));
  EXPECT_TRUE(fits({{"a", {1, 5, 2, 2, 5, 5}}, {"old", kNoVsn}}));
}

}  // namespace
}  // namespace ginnel::swim
