#include "proto/path/mtu_search.h"

#include <gtest/gtest.h>

namespace ginnel::path {
namespace {

constexpr std::size_t kInterface = 1500;

// A path that carries packets of up to `carries` bytes, asked until the search ends.
class Path {
 public:
  explicit Path(std::size_t bytes) : carries(bytes) {}

  void run() {
    while (search.next()) {
      now = std::max(now, *search.next());
      const auto size = search.take_due(now, 10ms);
      if (size) ++probes;
      if (size && *size <= carries) search.note_answered(now, *size);
    }
  }

  std::size_t carries;
  Instant now{1'000'000'000};
  MtuSearch search{kInterface};
  int probes = 0;
};

TEST(MtuSearch, FindsTheLargestSizeThatIsAnswered) {
  for (const auto& [carries, found] : {std::pair(1500, 1500), {1420, 1400}, {1300, 1280}}) {
    Path path(static_cast<std::size_t>(carries));
    path.search.start(path.now);
    path.run();
    EXPECT_EQ(path.search.confirmed(), static_cast<std::size_t>(found));
    EXPECT_TRUE(path.search.is_settled());
  }
}

TEST(MtuSearch, AssumesTheLeastUntilItIsSettled) {
  Path path(1500);
  path.search.start(path.now);
  EXPECT_EQ(path.search.confirmed(), kMtuLeastBytes);
  EXPECT_FALSE(path.search.is_settled());
}

TEST(MtuSearch, APathThatShrinksIsFoundWhileItIsUsed) {
  Path path(1500);
  path.search.start(path.now);
  path.run();
  path.carries = 1420;
  path.search.note_used(path.now + MtuSearch::kRecheckEvery - 1ns);
  EXPECT_FALSE(path.search.running());
  path.now = path.now + MtuSearch::kRecheckEvery;
  path.search.note_used(path.now);
  path.run();
  EXPECT_EQ(path.search.confirmed(), 1400u);
}

TEST(MtuSearch, APathThatGrowsIsFoundToo) {
  Path path(1300);
  path.search.start(path.now);
  path.run();
  path.carries = 1500;
  path.now = path.now + MtuSearch::kRecheckEvery;
  path.search.note_used(path.now);
  path.run();
  EXPECT_EQ(path.search.confirmed(), 1500u);
}

TEST(MtuSearch, AConfirmedSizeIsKeptThroughAFewLostProbes) {
  Path path(1500);
  path.search.start(path.now);
  path.run();
  path.now = path.now + MtuSearch::kRecheckEvery;
  path.search.note_used(path.now);
  for (int lost = 0; lost < MtuSearch::kTriesOfConfirmed - 1; ++lost) {
    path.now = *path.search.next();
    EXPECT_EQ(path.search.take_due(path.now, 10ms), kInterface);
  }
  path.run();
  EXPECT_EQ(path.search.confirmed(), kInterface);
}

TEST(MtuSearch, WhatTheKernelRefusesIsLoweredAtOnce) {
  Path path(1400);
  path.search.start(path.now);
  EXPECT_EQ(path.search.take_due(path.now, {}), kInterface);
  path.search.note_too_large(path.now, kInterface);
  path.run();
  EXPECT_EQ(path.search.confirmed(), 1400u);
  EXPECT_EQ(path.probes, 1);
}

TEST(MtuSearch, ManyRefusalsOfOneSizeAreOneStep) {
  Path path(1400);
  path.search.start(path.now);
  for (int i = 0; i < 50; ++i) path.search.note_too_large(path.now, kInterface);
  path.run();
  EXPECT_EQ(path.search.confirmed(), 1400u);
}

TEST(MtuSearch, AnInnerPacketFillsTheOuterOneAndNoMore) {
  EXPECT_EQ(inner_bytes(1500, 60), 1440u);
  EXPECT_EQ(inner_bytes(1400, 60), 1328u);  // 1340 would be padded to 1344
  EXPECT_EQ(inner_bytes(0, 60), inner_bytes(kMtuLeastBytes, 60));
}

}  // namespace
}  // namespace ginnel::path
