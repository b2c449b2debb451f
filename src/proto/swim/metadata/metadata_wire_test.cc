#include <gtest/gtest.h>

#include "proto/swim/metadata/limits.h"
#include "proto/swim/metadata/wire.h"

namespace ginnel::swim::metadata {
namespace {

const std::string kKey = Key{.name = "k"}.wire();
const std::string kOwnKey = Key{Space::kOwn, "web", "tag/a"}.wire();

std::vector<ByteVector> one_of_each() {
  const Change change{kKey, 0x0102030405060708, "alice", false, bytes_of("value")};
  const Change gone{kOwnKey, 9, "web", true, {}};
  Branches branches{.hashes = {}, .from = "bob"};
  for (std::size_t b = 0; b < Store::kBranches; ++b) branches.hashes[b] = b;
  Leaves leaves{.branches = {}, .rows = {{1, 2, 3}, {4, 5, 6}}, .from = "bob"};
  leaves.branches[0] = leaves.branches[9] = leaves.branches[255] = true;
  return {encode(Rumor{change}),
          encode(Announce{change, "bob"}),
          encode(Root{0x1112131415161718, true, "bob"}),
          encode(Same{"bob"}),
          encode(branches),
          encode(leaves),
          encode(Want{{1, 2}, "bob"}),
          encode(Rows{true, {change, gone}, "bob"})};
}

ByteVector again(const Message& message) {
  return std::visit([](const auto& m) { return encode(m); }, message);
}

TEST(MetadataWire, EachMessageIsReadAsItWasWritten) {
  for (const ByteVector& bytes : one_of_each()) {
    const auto read = parse(bytes);
    ASSERT_TRUE(read) << to_hex(bytes);
    EXPECT_EQ(again(*read), bytes);
  }
}

TEST(MetadataWire, NoPieceOfAMessageIsAMessage) {
  for (const ByteVector& bytes : one_of_each()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(parse(ConstBytes(bytes).first(size))) << size;
    }
    ByteVector longer = bytes;
    longer.push_back({});
    EXPECT_FALSE(parse(longer));
  }
}

// docs/wire/ginnel.md, section 16.
TEST(MetadataWire, TheVectorsOfTheSpecification) {
  const auto messages = one_of_each();
  EXPECT_EQ(to_hex(messages[0]),
            "6701000200050008070605040302010500000001" "6b" "616c696365" "76616c7565");
  EXPECT_EQ(to_hex(messages[2]), "6703" "1817161514131211" "01" "0300626f62");
  EXPECT_EQ(to_hex(messages[3]), "6704" "0300626f62");
  EXPECT_EQ(to_hex(messages[6]), "670702000000" "0100000000000000" "0200000000000000" "0300626f62");
}

// Deviating fields one at a time, in a rumor of the vector above.
TEST(MetadataWire, WhatBreaksARuleIsRefused) {
  const auto with = [](Change change) { return parse(encode(Rumor{change})).has_value(); };
  const Change good{kKey, 1, "a", false, bytes_of("v")};
  EXPECT_TRUE(with(good));
  Change c = good;
  c.time = 0;
  EXPECT_FALSE(with(c));
  c = good;
  c.writer = "";
  EXPECT_FALSE(with(c));
  c = good;
  c.deleted = true;
  EXPECT_FALSE(with(c)) << "deleted, and a value";
  c = good;
  const std::string unknown_space = "\x07k";
  c.key = unknown_space;
  EXPECT_FALSE(with(c));
  const std::string no_owner = "\x03k";
  c.key = no_owner;
  EXPECT_FALSE(with(c));
  const std::string long_key = Key{.name = std::string(kKeyBytesMax + 1, 'k')}.wire();
  c.key = long_key;
  EXPECT_FALSE(with(c));
  c = good;
  const std::string big(kValueBytesMax + 1, 'v');
  c.value = bytes_of(big);
  EXPECT_FALSE(with(c));
}

TEST(MetadataWire, ACountBeyondTheMessageCostsNothing) {
  ByteVector want = encode(Want{{}, "bob"});
  for (std::size_t i = 2; i < 6; ++i) want[i] = std::byte{0xff};
  EXPECT_FALSE(parse(want));
}

TEST(MetadataKey, TheThreeSpacesDoNotMeet) {
  EXPECT_NE(Key{.name = "x"}.wire(), (Key{Space::kOwn, "x", "x"}.wire()));
  const Key own{Space::kOwn, "web", "a"};
  EXPECT_EQ(Key::from_wire(own.wire()), own);
  EXPECT_FALSE(Key{.name = ""}.is_valid());
  EXPECT_TRUE((Key{.space = Space::kPublished}.is_valid()));
  EXPECT_FALSE((Key{Space::kOwn, std::string("a\0b", 3), "x"}.is_valid()));
}

}  // namespace
}  // namespace ginnel::swim::metadata
