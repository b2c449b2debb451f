#include "runtime/control/line_ring.h"

#include <gtest/gtest.h>

#include <vector>

namespace ginnel::control_api {
namespace {

// A reader that keeps what it gets.
class Reading : public Exchange {
 public:
  void answer(int, std::string, std::string_view) override {}
  void begin() override { begun = true; }
  bool write_line(std::string line) override {
    if (gone) return false;
    lines.push_back(std::move(line));
    return true;
  }
  void finish() override { finished = true; }
  bool cancelled() const override { return gone; }
  void on_cancelled(std::function<void()> handler) override { cancel = std::move(handler); }
  void on_taken(std::function<void(std::size_t)>) override {}

  std::vector<std::string> lines;
  std::function<void()> cancel;
  bool begun = false;
  bool finished = false;
  bool gone = false;
};
using Lines = std::vector<std::string>;

TEST(LineRing, GivesWhatItKeepsAndEnds) {
  const LineRing ring;
  ring.add("one");
  ring.add("two");
  const auto reader = std::make_shared<Reading>();
  ring.stream(Responder(reader), {});
  EXPECT_EQ(reader->lines, (Lines{"one", "two"}));
  EXPECT_TRUE(reader->finished);
}
TEST(LineRing, AnEmptyRingIsAnEmptyStream) {
  const auto reader = std::make_shared<Reading>();
  LineRing().stream(Responder(reader), {});
  EXPECT_TRUE(reader->begun && reader->finished);
}
TEST(LineRing, GivesTheLastOnesOnlyWhereFewAreWanted) {
  const LineRing ring;
  for (const char* line : {"one", "two", "three"}) ring.add(line);
  const auto reader = std::make_shared<Reading>();
  ring.stream(Responder(reader), {.last = 2});
  EXPECT_EQ(reader->lines, (Lines{"two", "three"}));
}
TEST(LineRing, AFollowerGetsWhatComesUntilItGoes) {
  const LineRing ring;
  ring.add("old");
  const auto reader = std::make_shared<Reading>();
  ring.stream(Responder(reader), {.follow = true});
  ring.add("new");
  EXPECT_EQ(reader->lines, (Lines{"old", "new"}));
  EXPECT_FALSE(reader->finished);
  reader->cancel();
  ring.add("later");
  EXPECT_EQ(reader->lines.size(), 2u);
}
TEST(LineRing, ForgetsTheOldestPastItsLines) {
  const LineRing ring;
  for (std::size_t i = 0; i < LineRing::kLinesMax + 5; ++i) ring.add(std::to_string(i));
  const auto reader = std::make_shared<Reading>();
  ring.stream(Responder(reader), {});
  EXPECT_EQ(reader->lines.size(), LineRing::kLinesMax);
  EXPECT_EQ(reader->lines.front(), "5");
}
TEST(LineRing, ForgetsTheOldestPastItsBytes) {
  const LineRing ring;
  for (int i = 0; i < 10; ++i) ring.add(std::string(LineRing::kBytesMax / 4, 'x'));
  const auto reader = std::make_shared<Reading>();
  ring.stream(Responder(reader), {});
  EXPECT_EQ(reader->lines.size(), 4u);
}
TEST(LineRing, HasALimitOfFollowers) {
  const LineRing ring;
  std::vector<std::shared_ptr<Reading>> readers;
  for (std::size_t i = 0; i <= LineRing::kFollowersMax; ++i) {
    readers.push_back(std::make_shared<Reading>());
    ring.stream(Responder(readers.back()), {.follow = true});
  }
  EXPECT_FALSE(readers.front()->finished);
  EXPECT_TRUE(readers.back()->finished);
}
TEST(LineRing, FinishEndsEveryFollower) {
  const LineRing ring;
  const auto reader = std::make_shared<Reading>();
  ring.stream(Responder(reader), {.follow = true});
  ring.finish();
  EXPECT_TRUE(reader->finished);
}

}  // namespace
}  // namespace ginnel::control_api
