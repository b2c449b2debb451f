#include "proto/wg/key_pair.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "crypto/testing/allocations.h"

namespace ginnel::wg {
namespace {

constexpr std::uint64_t kReject = ~std::uint64_t{0} - (1 << 13);

// Two ends of one session.
struct KeyPairTest : ::testing::Test {
  std::unique_ptr<KeyPair> make(bool is_initiator, std::uint64_t reject_after = kReject) {
    Rng rng = Rng::from_seed(1);
    auto a = crypto::SymmetricKey::generate(rng);
    auto b = crypto::SymmetricKey::generate(rng);
    TransportKeys keys{is_initiator ? a.clone() : b.clone(), is_initiator ? b.clone() : a.clone()};
    return std::make_unique<KeyPair>(
        keys, KeyPair::Init{.peer = PeerHandle(1),
                            .local_index = ReceiverIndex(is_initiator ? 1 : 2),
                            .remote_index = ReceiverIndex(is_initiator ? 2 : 1),
                            .is_initiator = is_initiator,
                            .created = now,
                            .reject_after_time = 180s,
                            .reject_after_messages = reject_after,
                            .activity = std::make_shared<Activity>()});
  }
  ByteVector sealed(std::uint64_t counter, std::string_view text) {
    ByteVector out(text.size() + kDataOverheadBytes);
    left->seal(Sender::kControl, counter, bytes_of(text), out);
    return out;
  }
  Instant now{7'000'000'000};
  std::unique_ptr<KeyPair> left = make(true);
  std::unique_ptr<KeyPair> right = make(false);
};

TEST_F(KeyPairTest, OpensWhatTheOtherEndSealedWithEitherSender) {
  ByteVector out(100);
  for (const Sender sender : {Sender::kControl, Sender::kForwarding}) {
    const auto counter = left->reserve(1);
    const std::size_t size = left->seal(sender, *counter, bytes_of("hello"), out);
    const auto plaintext = right->open(now, Bytes(out).first(size));
    ASSERT_TRUE(plaintext);
    EXPECT_EQ(text_of(*plaintext), "hello");
  }
}

TEST_F(KeyPairTest, SealsInPlace) {
  ByteVector out(5 + kDataOverheadBytes);
  std::ranges::copy(bytes_of("hello"), out.begin() + kDataHeaderBytes);
  left->seal(Sender::kForwarding, 0, ConstBytes(out).subspan(kDataHeaderBytes, 5), out);
  EXPECT_EQ(text_of(right->open(now, out).value()), "hello");
}

TEST_F(KeyPairTest, RefusesAReplayAndAForgeryWithoutMovingTheWindow) {
  ByteVector first = sealed(0, "a");
  ByteVector copy = first;
  EXPECT_TRUE(right->open(now, first));
  EXPECT_EQ(right->open(now, copy).error(), Drop::kReplayed);
  // A forged packet with a counter far ahead must not push good ones out of the window.
  ByteVector forged = sealed(1'000'000, "a");
  forged.back() ^= std::byte{1};
  EXPECT_EQ(right->open(now, forged).error(), Drop::kNotAuthentic);
  ByteVector second = sealed(1, "b");
  EXPECT_TRUE(right->open(now, second));
}

TEST_F(KeyPairTest, RefusesEveryTruncation) {
  const ByteVector whole = sealed(3, "some text");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ByteVector cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(right->open(now, cut)) << size;
  }
}

// REJECT_AFTER_TIME.
TEST_F(KeyPairTest, OpensNothingAfter180Seconds) {
  ByteVector early = sealed(0, "a");
  ByteVector late = sealed(1, "b");
  EXPECT_TRUE(right->open(now + (180s - 1ns), early));
  EXPECT_TRUE(right->can_send(now + (180s - 1ns)));
  EXPECT_EQ(right->open(now + 180s, late).error(), Drop::kExpired);
  EXPECT_FALSE(right->can_send(now + 180s));
}

// REJECT_AFTER_MESSAGES.
TEST_F(KeyPairTest, TakesNoCounterAtTheLimit) {
  ByteVector last = sealed(kReject - 1, "a");
  ByteVector past = sealed(kReject, "b");
  EXPECT_TRUE(right->open(now, last));
  EXPECT_EQ(right->open(now, past).error(), Drop::kCounterTooHigh);
}

TEST_F(KeyPairTest, ReserveGivesEachCounterOnceAndNoneAtTheLimit) {
  const auto pair = make(true, 10);
  EXPECT_EQ(pair->reserve(4), 0u);
  EXPECT_EQ(pair->reserve(7), std::nullopt) << "only 6 are left";
  EXPECT_EQ(pair->reserve(6), 4u);
  for (int i = 0; i < 20'000; ++i) ASSERT_EQ(pair->reserve(1), std::nullopt);
  EXPECT_EQ(pair->messages_sent(), 10u);
  EXPECT_FALSE(pair->can_send(now));
}

TEST_F(KeyPairTest, ThreadsThatReserveNeverShareACounter) {
  // Both at once and for long enough, or neither ever interrupts the other.
  constexpr int kRounds = 1'000'000;
  std::latch both(2);
  std::array<std::vector<std::uint64_t>, 2> firsts;
  std::array<std::thread, 2> threads;
  for (std::size_t i = 0; i < 2; ++i) {
    firsts[i].reserve(kRounds);
    threads[i] = std::thread([&, i] {
      both.arrive_and_wait();
      for (int n = 0; n < kRounds; ++n) firsts[i].push_back(*left->reserve(3));
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<std::uint64_t> all(firsts[0]);
  all.insert(all.end(), firsts[1].begin(), firsts[1].end());
  std::ranges::sort(all);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], 3 * i);
}

TEST_F(KeyPairTest, TellsOnceThatItReceivedItsFirstPacket) {
  EXPECT_FALSE(right->take_first_received());
  ByteVector packet = sealed(0, "");
  EXPECT_TRUE(right->open(now, packet));
  EXPECT_TRUE(right->take_first_received());
  EXPECT_FALSE(right->take_first_received());
}

TEST_F(KeyPairTest, NeverAllocatesAfterConstruction) {
  if (!ginnel::testing::allocations_are_counted()) GTEST_SKIP() << "a sanitizer owns malloc";
  std::array<std::byte, 1420 + kDataOverheadBytes> buffer{};
  const auto before = ginnel::testing::allocations();
  for (int i = 0; i < 100'000; ++i) {
    const auto counter = left->reserve(1);
    left->seal(Sender::kForwarding, *counter, ConstBytes(buffer).subspan(kDataHeaderBytes, 1420),
               buffer);
    left->activity().note_sent(now, Activity::Packet::kData);
    ASSERT_TRUE(right->open(now, buffer));
    right->activity().note_received(now, Activity::Packet::kData);
  }
  EXPECT_EQ(ginnel::testing::allocations() - before, 0u);
}

}  // namespace
}  // namespace ginnel::wg
