#include "proto/swim/metadata/store.h"

#include <gtest/gtest.h>

#include "proto/swim/metadata/limits.h"

namespace ginnel::swim::metadata {
namespace {

constexpr Instant kNow{1'000'000'000'000'000};

std::string common(std::string_view name) {
  return Key{.name = std::string(name)}.wire();
}

Merge apply(Store& store, std::string_view key, std::uint64_t time, std::string_view writer,
            std::string_view value, bool deleted = false) {
  const std::string wire = common(key);
  return store.apply(kNow, {wire, time, writer, deleted, bytes_of(value)});
}

TEST(MetadataStore, TheLaterVersionWinsInWhateverOrderTheyCome) {
  Store a, b;
  EXPECT_EQ(apply(a, "k", 5, "x", "old"), Merge::kApplied);
  EXPECT_EQ(apply(a, "k", 7, "x", "new"), Merge::kApplied);
  EXPECT_EQ(apply(b, "k", 7, "x", "new"), Merge::kApplied);
  EXPECT_EQ(apply(b, "k", 5, "x", "old"), Merge::kKnown);
  EXPECT_EQ(text_of(b.find(common("k"))->value), "new");
  EXPECT_EQ(a.root(), b.root());
}

TEST(MetadataStore, OfOneTimeTheGreaterWriterWins) {
  Store store;
  apply(store, "k", 5, "b", "from b");
  EXPECT_EQ(apply(store, "k", 5, "a", "from a"), Merge::kKnown);
  EXPECT_EQ(apply(store, "k", 5, "c", "from c"), Merge::kApplied);
}

TEST(MetadataStore, OneVersionWithTwoValuesEndsAlikeEverywhere) {
  Store a, b;
  apply(a, "k", 5, "x", "one");
  EXPECT_NE(a.root(), (apply(b, "k", 5, "x", "two"), b.root()));
  apply(a, "k", 5, "x", "two");
  apply(b, "k", 5, "x", "one");
  EXPECT_EQ(a.root(), b.root());
  EXPECT_EQ(text_of(a.find(common("k"))->value), "two");
}

TEST(MetadataStore, TheDigestDependsOnTheContentAlone) {
  Store a, b;
  for (int i = 0; i < 500; ++i) apply(a, std::to_string(i), 10, "x", "v");
  for (int i = 500; i-- > 0;) apply(b, std::to_string(i), 9, "x", "v");
  EXPECT_NE(a.root(), b.root());
  for (int i = 0; i < 500; ++i) apply(b, std::to_string(i), 10, "x", "v");
  EXPECT_EQ(a.root(), b.root());
  EXPECT_EQ(a.branches(), b.branches());
}

TEST(MetadataStore, EachRowIsInTheBranchOfItsHash) {
  Store store;
  for (int i = 0; i < 1000; ++i) apply(store, std::to_string(i), 10, "x", "v");
  std::size_t seen = 0;
  for (std::size_t b = 0; b < Store::kBranches; ++b) {
    std::uint64_t folded = 0;
    store.each_in(b, [&](std::uint64_t hash, const Row& row) {
      EXPECT_EQ(Store::branch_of(hash), b);
      folded ^= row.hash;
      ++seen;
    });
    EXPECT_EQ(folded, store.branches()[b]);
  }
  EXPECT_EQ(seen, 1000u);
}

TEST(MetadataStore, AVersionFarInTheFutureIsRefused) {
  Store store;
  const auto now = static_cast<std::uint64_t>(kNow.ns);
  const auto skew = static_cast<std::uint64_t>(kSkewMax.count());
  EXPECT_EQ(apply(store, "k", now + skew + 1, "x", "v"), Merge::kAhead);
  EXPECT_EQ(store.size(), 0u);
  EXPECT_EQ(apply(store, "k", now + skew, "x", "v"), Merge::kApplied);
  EXPECT_GT(store.clock().take(kNow), now + skew);
}

TEST(MetadataStore, DeletedRowsAreForgottenLaterAndDoNotComeBack) {
  Store store;
  const auto now = static_cast<std::uint64_t>(kNow.ns);
  apply(store, "kept", 1, "x", "v");
  apply(store, "k", now, "x", "", true);
  store.expire(kNow + kAgingTime);
  EXPECT_EQ(store.size(), 2u);
  const Instant later = kNow + kAgingTime + 1s;
  store.expire(later);
  EXPECT_EQ(store.size(), 1u);
  const std::string wire = common("k");
  EXPECT_EQ(store.apply(later, {wire, now, "x", true, {}}), Merge::kExpired);
}

TEST(MetadataStore, OnlyItsOwnerWritesAMembersOwnRow) {
  Store store;
  const std::string wire = Key{Space::kOwn, "web", "private"}.wire();
  const auto now = static_cast<std::uint64_t>(kNow.ns);
  EXPECT_EQ(store.apply(kNow, {wire, now, "other", false, {}}), Merge::kForeign);
  EXPECT_EQ(store.apply(kNow, {wire, now, "web", false, {}}), Merge::kApplied);
  EXPECT_EQ(store.apply(kNow, {wire, now, "webber", false, {}}), Merge::kForeign);
}

TEST(MetadataStore, ItHoldsNoMoreRowsAndBytesThanItsLimits) {
  Store store;
  for (std::size_t i = 0; i < kRowsMax; ++i) {
    ASSERT_EQ(apply(store, std::to_string(i), 1, "x", ""), Merge::kApplied);
  }
  EXPECT_EQ(apply(store, "one more", 1, "x", ""), Merge::kFull);
  EXPECT_EQ(apply(store, "7", 2, "x", "a change"), Merge::kApplied);
  const std::string big(kValueBytesMax, 'v');
  std::size_t taken = 0;
  while (apply(store, std::to_string(taken), 2, "y", big) == Merge::kApplied) ++taken;
  EXPECT_LE(store.bytes(), kBytesMax);
  EXPECT_GE(taken, 120u);
  EXPECT_EQ(apply(store, "0", 3, "y", "smaller"), Merge::kApplied);
}

TEST(MetadataClock, GoesOnWhenTheWallClockIsPutBack) {
  Clock clock;
  clock.set(kNow, {2'000'000});
  const std::uint64_t first = clock.take(kNow);
  clock.set(kNow, {1'000'000});
  EXPECT_EQ(clock.take(kNow), first + 1);
}

TEST(MetadataVersion, IsReadAsItIsWritten) {
  const Version version{1764542718123456789u, "a@b"};
  EXPECT_EQ(version.text(), "1764542718123456789@a@b");
  EXPECT_EQ(Version::parse(version.text()), version);
  EXPECT_EQ(Version::parse("0"), Version{});
  for (const char* wrong : {"", "5", "5@", "@a", "-5@a", "x", "0@a", "99999999999999999999@a"}) {
    EXPECT_FALSE(Version::parse(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace ginnel::swim::metadata
