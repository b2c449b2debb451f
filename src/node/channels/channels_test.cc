// Two ends of all channels between two nodes, over links that delay, lose, double and reorder, in
// virtual time.
#include "node/channels/channels.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/reader.h"
#include "base/rng.h"
#include "base/timers.h"
#include "proto/control/acknowledgement.h"

namespace ginnel::node {
namespace {

using control::ControlType;
using control::FrameType;

constexpr std::size_t kFrameRoom = 1168;  // of a packet's plaintext (node_transmit.cc)
constexpr std::size_t kHeader = control::kMessageHeaderBytes;
const LaneKey kChat{LaneKind::kMessages, "chat"};
constexpr std::size_t kMebibyte = std::size_t{1} << 20;

ByteVector filled(std::size_t size, int value) {
  return ByteVector(size, static_cast<std::byte>(value));
}

struct End {
  End(const Channels::Options& options, std::size_t budget_bytes, std::size_t reserve_bytes)
      : budget(budget_bytes, reserve_bytes),
        channels(std::make_unique<Channels>(options, budget)) {}

  Budget budget;
  std::unique_ptr<Channels> channels;
  std::vector<std::string> arrived;   // MessageArrived, by channel
  std::vector<std::string> writable;  // WritableAgain, by channel
  std::vector<std::pair<ControlType, ByteVector>> control;
  std::vector<Channels::Drop> drops;
};

struct Flight {
  End* to;
  FrameType type;
  ByteVector body;
};

class ChannelsTest : public ::testing::Test {
 protected:
  struct Link {
    Nanoseconds delay = 10ms;
    Nanoseconds jitter = 0ns;
    double loss = 0;
    double duplicate = 0;
  };

  void open(std::size_t budget_bytes = 64 * kMebibyte,
            std::size_t reserve_bytes = kReceiveReserveBytes) {
    a_ = std::make_unique<End>(Channels::Options{.own_epoch = 7, .peer_epoch = 9}, budget_bytes,
                               reserve_bytes);
    b_ = std::make_unique<End>(Channels::Options{.own_epoch = 9, .peer_epoch = 7}, budget_bytes,
                               reserve_bytes);
  }
  void SetUp() override { open(); }

  // Until `done` or until nothing happens for the rest of `limit`. False: not done.
  bool run(Nanoseconds limit, const std::function<bool()>& done) {
    const Instant end = now_ + limit;
    for (;;) {
      const auto next = turn();
      if (done()) return true;
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      deliver();
    }
    now_ = end;
    return false;
  }
  void run(Nanoseconds time) {
    run(time, [] { return false; });
  }
  std::optional<Instant> turn() {
    if (write_) write_();
    std::optional<Instant> next;
    for (const auto& [from, to] : {std::pair(a_.get(), b_.get()), std::pair(b_.get(), a_.get())}) {
      from->channels->handle_timeout(now_);
      if (from->budget.take_freed()) from->channels->handle_budget_freed();
      note_events(*from);
      if (take_) take_(*from);
      if (from->budget.take_freed()) from->channels->handle_budget_freed();
      note_events(*from);
      send_frames(*from, *to);
      next = earlier(next, from->channels->next_timeout());
    }
    if (!flights_.empty()) next = earlier(next, flights_.begin()->first.first);
    return next;
  }
  void note_events(End& end) {
    while (auto event = end.channels->poll_event()) {
      if (auto* arrived = std::get_if<MessageArrived>(&*event)) {
        end.arrived.push_back(arrived->lane.channel);
      } else if (auto* writable = std::get_if<WritableAgain>(&*event)) {
        end.writable.push_back(writable->lane.channel);
      } else if (auto* control = std::get_if<ControlArrived>(&*event)) {
        if (const auto reset = control::parse_lane_reset(control->body);
            reset && control->type == ControlType::kLaneReset) {
          end.channels->handle_reset(reset->lane);
        }
        end.control.emplace_back(control->type, std::move(control->body));
      }
    }
  }
  void send_frames(End& from, End& to) {
    std::array<std::byte, kFrameRoom> room{};
    while (const std::size_t size = from.channels->poll_frame(now_, room)) {
      const auto body =
          ConstBytes(room).subspan(control::kFrameHeaderBytes, size - control::kFrameHeaderBytes);
      put(to, static_cast<FrameType>(room[0]), body);
    }
  }
  void put(End& to, FrameType type, ConstBytes body) {
    if (rng_.chance(link_.loss)) return;
    for (int copies = rng_.chance(link_.duplicate) ? 2 : 1; copies > 0; --copies) {
      const Instant at = now_ + link_.delay + rng_.between(Nanoseconds(0), link_.jitter);
      flights_.emplace(std::pair(at, ++serial_), Flight{&to, type, to_vector(body)});
    }
  }
  void deliver() {
    while (!flights_.empty() && flights_.begin()->first.first <= now_) {
      const Flight flight = std::move(flights_.begin()->second);
      flights_.erase(flights_.begin());
      const auto taken = flight.to->channels->handle_kcp(now_, flight.type, flight.body);
      if (!taken) flight.to->drops.push_back(taken.error());
      note_events(*flight.to);
    }
  }
  // From now on B's program takes what comes; the bodies stand in `taken_`.
  void take_all_at_b() {
    take_ = [this](End& end) {
      if (&end == b_.get()) take_waiting(end);
    };
  }
  void take_waiting(End& end) {
    for (const LaneKey& key : end.channels->waiting()) {
      while (auto message = end.channels->take(key)) {
        taken_.emplace_back(key.channel, std::move(message->data));
      }
    }
  }
  std::size_t taken_from(std::string_view channel) const {
    return static_cast<std::size_t>(
        std::ranges::count(taken_, channel, [](const auto& one) { return one.first; }));
  }
  bool send(std::string_view channel, ConstBytes data, std::uint64_t id = 0) {
    return a_->channels->send(channel, id, data).has_value();
  }

  Link link_;
  Rng rng_ = Rng::from_seed(5);
  Instant now_;
  std::uint64_t serial_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, Flight> flights_;
  std::function<void()> write_;     // A's program, each turn
  std::function<void(End&)> take_;  // the program of either end, each turn
  std::vector<std::pair<std::string, ByteVector>> taken_;
  std::unique_ptr<End> a_;
  std::unique_ptr<End> b_;
};

// --- delivery ---

TEST_F(ChannelsTest, MessagesOfEverySizeArriveOnceAndInOrderOverABadLink) {
  link_ = {.delay = 20ms, .jitter = 15ms, .loss = 0.1, .duplicate = 0.05};
  take_all_at_b();
  std::vector<ByteVector> sent;
  write_ = [&] {
    while (sent.size() < 400) {
      const auto size = static_cast<std::size_t>(rng_.below(sent.size() % 40 == 0 ? 90'000 : 2000));
      ByteVector data = filled(size, static_cast<int>(sent.size() % 251));
      if (!send("chat", data)) break;
      sent.push_back(std::move(data));
    }
  };
  ASSERT_TRUE(run(600s, [&] { return taken_.size() == 400; }));
  run(60s);  // nothing comes a second time
  ASSERT_EQ(taken_.size(), 400u);
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(taken_[i].second, sent[i]) << i;
}

TEST_F(ChannelsTest, EachMessageIsAnnouncedOnceAndKeepsItsId) {
  ASSERT_TRUE(send("chat", bytes_of("one"), 41));
  ASSERT_TRUE(send("chat", bytes_of("two"), 42));
  run(1s);
  ASSERT_EQ(b_->arrived, std::vector<std::string>{"chat"});
  EXPECT_EQ(b_->channels->peek(kChat), 41u);
  EXPECT_EQ(b_->channels->take("chat")->id, 41u);
  note_events(*b_);
  EXPECT_EQ(b_->arrived.size(), 2u);
  EXPECT_EQ(b_->channels->take("chat")->id, 42u);
  EXPECT_FALSE(b_->channels->take("chat"));
}

// The wait for the next try grows with each one that fails, so after a cut of 20 s it is several.
TEST_F(ChannelsTest, AfterACutWhatTimedOutIsSentAsSoonAsThePeerIsHeard) {
  take_all_at_b();
  ASSERT_TRUE(send("chat", bytes_of("first")));
  ASSERT_TRUE(run(1s, [&] { return taken_.size() == 1; }));
  link_.loss = 1;
  ASSERT_TRUE(send("chat", filled(100'000, 1)));
  run(20s);
  link_.loss = 0;
  a_->channels->resume(now_);
  const Instant start = now_;
  ASSERT_TRUE(run(60s, [&] { return taken_.size() == 2; }));
  EXPECT_LE(now_ - start, 2 * link_.delay);
}

// include/ginnel/node.h: one message of up to 16 MiB may enter an empty channel.
TEST_F(ChannelsTest, TheLargestMessageEntersAnEmptyChannelAndNothingBesideIt) {
  take_all_at_b();
  const ByteVector largest = filled(control::kMessageBytesMax, 3);
  ASSERT_TRUE(send("bulk", largest));
  const auto more = a_->channels->send("bulk", 0, bytes_of("x"));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error(), Channels::SendError::kWouldBlock);
  ASSERT_TRUE(run(120s, [&] { return taken_.size() == 1; }));
  EXPECT_EQ(taken_[0].second, largest);
  const auto larger = a_->channels->send("bulk", 0, filled(control::kMessageBytesMax + 1, 3));
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error(), Channels::SendError::kTooLarge);
}

TEST_F(ChannelsTest, ABulkMessageDoesNotHoldUpASmallOneOfAnotherChannel) {
  take_all_at_b();
  ASSERT_TRUE(send("bulk", filled(control::kMessageBytesMax, 3)));
  run(100ms);
  ASSERT_TRUE(taken_.empty());
  ASSERT_TRUE(send("chat", bytes_of("now")));
  const Instant start = now_;
  ASSERT_TRUE(run(2s, [&] { return taken_from("chat") == 1; }));
  EXPECT_LE(now_ - start, 2 * link_.delay);
  EXPECT_EQ(taken_from("bulk"), 0u);
}

// The lanes of the next frames that A sends.
TEST_F(ChannelsTest, ASmallMessageGoesBeforeLargeOnesAndDoesNotStopThem) {
  ASSERT_TRUE(send("bulk0", filled(kMebibyte - kHeader, 1)));
  ASSERT_TRUE(send("bulk1", filled(kMebibyte - kHeader, 1)));
  ASSERT_TRUE(send("chat", filled(60'000, 1)));
  std::map<std::uint32_t, int> frames;
  std::vector<std::uint32_t> order;
  std::array<std::byte, kFrameRoom> room{};
  for (int i = 0; i < 40 && a_->channels->poll_frame(now_, room) > 0; ++i) {
    const std::uint32_t lane = Reader(ConstBytes(room).subspan(7)).u32le();
    ++frames[lane];
    order.push_back(lane);
  }
  ASSERT_EQ(order.size(), 40u);
  EXPECT_EQ(order.front(), 3u);
  EXPECT_EQ(frames[3], 35);
  EXPECT_EQ(frames[1] + frames[2], 5);
  EXPECT_GT(frames[1], 0);
  EXPECT_GT(frames[2], 0);
}

// --- windows ---

TEST_F(ChannelsTest, AFullWindowRefusesAndTellsOnceWhenThereIsRoom) {
  std::size_t sent = 0;
  while (send("chat", filled(10'000, 1))) ++sent;
  EXPECT_EQ(sent, kChannelWindowBytes / (10'000 + kHeader));
  EXPECT_FALSE(send("chat", filled(10'000, 1)));
  EXPECT_TRUE(send("other", bytes_of("x")));
  take_all_at_b();
  ASSERT_TRUE(run(10s, [&] { return !a_->writable.empty(); }));
  EXPECT_EQ(a_->writable, std::vector<std::string>{"chat"});
  EXPECT_LE(a_->channels->outstanding(), kChannelWindowBytes / 2 + kHeader + 1);
  EXPECT_TRUE(send("chat", filled(10'000, 1)));
  ASSERT_TRUE(run(10s, [&] { return taken_from("chat") == sent + 1; }));
  EXPECT_EQ(a_->writable.size(), 1u);
}

TEST_F(ChannelsTest, WritableComesWhenTheRefusedMessageFitsAndNotBefore) {
  take_all_at_b();
  const ByteVector large = filled(kMebibyte, 1);
  ASSERT_TRUE(send("chat", large));
  ASSERT_FALSE(send("chat", large));
  ASSERT_TRUE(run(10s, [&] { return !a_->writable.empty(); }));
  EXPECT_TRUE(send("chat", large));
}

TEST_F(ChannelsTest, AMessageThatNobodyTakesClosesItsOwnChannelOnly) {
  take_ = [this](End& end) {
    if (&end != b_.get()) return;
    while (auto message = end.channels->take("fast")) {
      taken_.emplace_back("fast", std::move(message->data));
    }
  };
  std::size_t slow = 0;
  write_ = [&] {
    while (send("slow", filled(50'000, 1))) ++slow;
  };
  run(30s);
  // The receiver's window and what stands ready in it, and the sender's window, and no more.
  EXPECT_GE(slow * 50'000, 2 * kChannelWindowBytes - 100'000);
  EXPECT_LE(slow * 50'000, 4 * kChannelWindowBytes);
  ASSERT_TRUE(send("fast", bytes_of("x")));
  EXPECT_TRUE(run(1s, [&] { return taken_.size() == 1; }));
}

// docs/wire/ginnel.md section 9: a receiver holds at most 64 lanes per peer.
TEST_F(ChannelsTest, TheSixtyFifthChannelIsRefused) {
  for (std::size_t i = 0; i < kLanesMax; ++i) {
    ASSERT_TRUE(send("channel" + std::to_string(i), bytes_of("x")));
  }
  const auto more = a_->channels->send("one more", 0, bytes_of("x"));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error(), Channels::SendError::kTooManyLanes);
  EXPECT_EQ(a_->channels->send("", 0, {}).error(), Channels::SendError::kBadChannel);
  EXPECT_EQ(a_->channels->send(std::string(65, 'x'), 0, {}).error(),
            Channels::SendError::kBadChannel);
}

// --- the node's budget ---

TEST_F(ChannelsTest, TheBudgetIsChargedToTheByteAndGivenBackWhole) {
  ASSERT_TRUE(send("chat", filled(1000, 1)));
  ASSERT_TRUE(send("other", filled(500, 1)));
  EXPECT_EQ(a_->budget.used(), 1500 + 2 * kHeader);
  EXPECT_EQ(a_->channels->outstanding(), 1500 + 2 * kHeader);
  run(1s);
  EXPECT_EQ(a_->budget.used(), 0u);
  EXPECT_EQ(b_->budget.used(), 1500 + 2 * kHeader);
  (void)b_->channels->take("chat");
  EXPECT_EQ(b_->budget.used(), 500 + kHeader);
  b_->channels.reset();
  EXPECT_EQ(b_->budget.used(), 0u);
}

TEST_F(ChannelsTest, ABudgetThatIsUsedUpRefusesAndTellsWhenItHasRoom) {
  open(50'000, 0);
  ASSERT_TRUE(send("one", filled(45'000, 1)));
  const auto refused = a_->channels->send("two", 0, filled(10'000, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Channels::SendError::kWouldBlock);
  take_all_at_b();
  ASSERT_TRUE(run(10s, [&] { return !a_->writable.empty(); }));
  EXPECT_EQ(a_->writable, std::vector<std::string>{"two"});
  EXPECT_TRUE(send("two", filled(10'000, 1)));
}

TEST_F(ChannelsTest, AReceiverWithoutBudgetLetsTheMessageWaitUntilItHasRoom) {
  open(100'000, 50'000);
  ASSERT_TRUE(b_->budget.try_charge_receive(80'000));
  take_all_at_b();
  ASSERT_TRUE(send("chat", filled(40'000, 1)));
  run(5s);
  EXPECT_TRUE(taken_.empty());
  b_->budget.release_receive(80'000);
  EXPECT_TRUE(run(5s, [&] { return taken_.size() == 1; }));
}

TEST_F(ChannelsTest, LargeMessagesThatTogetherExceedTheBudgetArriveOneAfterAnother) {
  open(5 * kMebibyte, 2 * kMebibyte);
  const auto sender_budget = std::make_unique<Budget>(64 * kMebibyte);
  a_->channels = std::make_unique<Channels>(Channels::Options{7, 9}, *sender_budget);
  take_all_at_b();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(send("bulk" + std::to_string(i), filled(2 * kMebibyte, i)));
  }
  EXPECT_TRUE(run(60s, [&] { return taken_.size() == 4; }));
  a_->channels.reset();
}

TEST_F(ChannelsTest, TwoNodesFullOfMessagesForEachOtherDoNotWaitForEver) {
  open(4 * kMebibyte, kMebibyte + kHeader);
  take_ = [this](End& end) { take_waiting(end); };
  std::size_t sent = 0;
  for (int i = 0; i < 4; ++i) {
    const std::string channel = "bulk" + std::to_string(i);
    for (End* end : {a_.get(), b_.get()}) {
      if (end->channels->send(channel, 0, filled(kMebibyte - kHeader, i))) ++sent;
    }
  }
  EXPECT_EQ(sent, 4u);  // the reserve is not for sends
  EXPECT_TRUE(run(60s, [&] { return taken_.size() == sent; }));
}

// --- runs of the nodes ---

// docs/wire/ginnel.md section 9: nothing of an earlier run enters a lane of this one.
TEST_F(ChannelsTest, ADelayedPacketOfAnEarlierRunNeverEntersANewLane) {
  take_all_at_b();
  ASSERT_TRUE(send("chat", bytes_of("of the first run")));
  turn();
  ASSERT_FALSE(flights_.empty());
  const auto delayed = std::exchange(flights_, {});
  a_->channels = std::make_unique<Channels>(Channels::Options{8, 9}, a_->budget);
  b_->channels = std::make_unique<Channels>(Channels::Options{9, 8}, b_->budget);
  for (const auto& [at, flight] : delayed) flights_.emplace(at, flight);
  run(5s);
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(b_->drops, std::vector<Channels::Drop>(delayed.size(), Channels::Drop::kOtherEpoch));
  ASSERT_TRUE(send("chat", bytes_of("of the second run")));
  ASSERT_TRUE(run(5s, [&] { return taken_.size() == 1; }));
  EXPECT_EQ(text_of(taken_[0].second), "of the second run");
}

TEST_F(ChannelsTest, WhatWasSentToAnEarlierRunOfThePeerIsNotTakenByTheNextOne) {
  take_all_at_b();
  ASSERT_TRUE(send("chat", filled(200'000, 1)));
  run(15ms);
  b_->channels = std::make_unique<Channels>(Channels::Options{10, 7}, b_->budget);
  run(30s);
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(b_->budget.used(), 0u);
  ASSERT_FALSE(b_->drops.empty());
  EXPECT_EQ(b_->drops.front(), Channels::Drop::kOtherEpoch);
}

TEST_F(ChannelsTest, WhoIsOwedAWritableIsKnownWhenTheChannelsGo) {
  while (send("chat", filled(100'000, 1))) {
  }
  EXPECT_EQ(a_->channels->blocked(), std::vector<LaneKey>{kChat});
}

// --- giving up ---

// The messages of the list, as text, and whether each was sent.
std::vector<std::pair<std::string, bool>> texts(const std::vector<GivenBack>& list) {
  std::vector<std::pair<std::string, bool>> out;
  for (const GivenBack& back : list) {
    out.emplace_back(text_of(back.message.data), back.message.sent);
  }
  return out;
}

TEST_F(ChannelsTest, WhatIsGivenUpComesBackInOrderAndSaysWhatWasSent) {
  take_all_at_b();
  ASSERT_TRUE(send("chat", bytes_of("arrives")));
  ASSERT_TRUE(run(1s, [&] { return taken_.size() == 1; }));
  link_.loss = 1;
  ASSERT_TRUE(send("chat", bytes_of("sent and lost")));
  run(1s);
  ASSERT_TRUE(send("chat", bytes_of("never sent")));
  const auto back = texts(a_->channels->give_up());
  EXPECT_EQ(back, (std::vector<std::pair<std::string, bool>>{{"sent and lost", true},
                                                             {"never sent", false}}));
  EXPECT_EQ(a_->budget.used(), 0u);
  EXPECT_TRUE(a_->channels->give_up().empty());
}

// include/ginnel/node.h: what came back is not delivered behind the program's back.
TEST_F(ChannelsTest, AfterGivingUpTheSameRunsGoOnInANewLaneAndNothingIsDoubled) {
  take_all_at_b();
  link_.loss = 1;
  ASSERT_TRUE(send("chat", filled(300'000, 1)));
  run(20s);
  EXPECT_EQ(a_->channels->give_up().size(), 1u);
  link_.loss = 0;
  ASSERT_TRUE(send("chat", bytes_of("after")));
  ASSERT_TRUE(run(10s, [&] { return taken_.size() == 1; }));
  run(100s);
  ASSERT_EQ(taken_.size(), 1u);
  EXPECT_EQ(text_of(taken_[0].second), "after");
  EXPECT_EQ(b_->budget.used(), 0u);
}

TEST_F(ChannelsTest, WhatCameWholeBeforeTheOwnerGaveUpIsTakenBeforeWhatCameAfter) {
  ASSERT_TRUE(send("chat", bytes_of("one")));
  ASSERT_TRUE(send("chat", bytes_of("two")));
  run(1s);
  link_.loss = 1;
  ASSERT_TRUE(send("chat", bytes_of("lost")));
  run(1s);
  EXPECT_EQ(a_->channels->give_up().size(), 1u);
  link_.loss = 0;
  ASSERT_TRUE(send("chat", bytes_of("three")));
  run(10s);
  take_all_at_b();
  ASSERT_TRUE(run(10s, [&] { return taken_.size() == 3; }));
  EXPECT_EQ(text_of(taken_[0].second), "one");
  EXPECT_EQ(text_of(taken_[1].second), "two");
  EXPECT_EQ(text_of(taken_[2].second), "three");
}

TEST_F(ChannelsTest, ADelayedPacketOfALaneThatEndedOpensNothing) {
  take_all_at_b();
  ASSERT_TRUE(send("chat", bytes_of("given up")));
  turn();
  const auto delayed = std::exchange(flights_, {});
  ASSERT_FALSE(delayed.empty());
  EXPECT_EQ(a_->channels->give_up().size(), 1u);
  run(1s);
  for (const auto& [at, flight] : delayed) flights_.emplace(std::pair(now_, ++serial_), flight);
  run(1s);
  EXPECT_TRUE(taken_.empty());
  ASSERT_FALSE(b_->drops.empty());
  EXPECT_EQ(b_->drops.front(), Channels::Drop::kEndedLane);
}

TEST_F(ChannelsTest, GivingUpOverAndOverOpensLanesWithoutEnd) {
  take_all_at_b();
  for (std::size_t i = 0; i < 3 * kLanesMax; ++i) {
    ASSERT_TRUE(send("chat", filled(5000, 1)));
    run(1ms);
    (void)a_->channels->give_up();
    run(1s);
  }
  ASSERT_TRUE(send("chat", bytes_of("last")));
  ASSERT_TRUE(run(5s, [&] { return !taken_.empty() && text_of(taken_.back().second) == "last"; }));
}

// One lane for each kind, so that neither waits for the other.
TEST_F(ChannelsTest, KindsOfOneChannelDoNotMeet) {
  const LaneKey requests{LaneKind::kRequests, "chat"};
  ASSERT_TRUE(send("chat", bytes_of("message"), 1));
  ASSERT_TRUE(a_->channels->send(requests, 2, bytes_of("request")));
  run(1s);
  EXPECT_EQ(b_->channels->waiting(), (std::set<LaneKey>{kChat, requests}));
  EXPECT_EQ(text_of(b_->channels->take(requests)->data), "request");
  EXPECT_EQ(text_of(b_->channels->take("chat")->data), "message");
}

// --- cancelled messages ---

TEST_F(ChannelsTest, ACancelledMessageIsNotGivenAndTheNextOneIs) {
  ASSERT_TRUE(send("chat", bytes_of("one"), 1));
  ASSERT_TRUE(send("chat", bytes_of("two"), 2));
  ASSERT_TRUE(send("chat", bytes_of("three"), 3));
  b_->channels->cancel(2);  // before it has come
  run(1s);
  b_->channels->cancel(1);  // at the head already
  const auto next = b_->channels->take("chat");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->id, 3u);
  EXPECT_EQ(b_->budget.used(), 0u);
}

TEST_F(ChannelsTest, CancelledIdsAreBounded) {
  for (std::uint64_t id = 1; id <= kCancelledMax + 1; ++id) b_->channels->cancel(id);
  ASSERT_TRUE(send("chat", bytes_of("forgotten"), 1));
  ASSERT_TRUE(send("chat", bytes_of("cancelled"), 2));
  run(1s);
  EXPECT_EQ(b_->channels->take("chat")->id, 1u);
  EXPECT_FALSE(b_->channels->take("chat"));
}

// --- the control lane ---

TEST_F(ChannelsTest, ControlMessagesPassChannelsThatHaveUsedUpTheBudget) {
  open(50'000, 0);
  ASSERT_TRUE(send("chat", filled(49'000, 1)));
  ASSERT_TRUE(b_->budget.try_charge_receive(50'000));
  ASSERT_TRUE(a_->channels->send_control(ControlType::kTaken, bytes_of("12345678")));
  EXPECT_TRUE(run(1s, [&] { return b_->control.size() == 1; }));
  EXPECT_EQ(b_->control[0].first, ControlType::kTaken);
}

TEST_F(ChannelsTest, AnAcknowledgementHasRoomBehindATableThatFillsTheControlLane) {
  const ByteVector row = filled(10'000, 1);
  std::size_t rows = 0;
  while (a_->channels->send_control(ControlType::kRows, row)) ++rows;
  EXPECT_EQ(rows, kControlWindowBytes / (10'000 + control::kControlHeaderBytes));
  EXPECT_TRUE(a_->channels->send_control(ControlType::kTaken, bytes_of("12345678")));
  ASSERT_TRUE(run(10s, [&] { return b_->control.size() == rows + 1; }));
  EXPECT_EQ(b_->control.back().first, ControlType::kTaken);
}

// --- hostile or broken peers ---

TEST_F(ChannelsTest, WhatIsNoFrameOfALaneIsRefused) {
  const auto take = [&](FrameType type, ConstBytes body) {
    return b_->channels->handle_kcp(now_, type, body);
  };
  EXPECT_EQ(take(FrameType::kKcp, {}).error(), Channels::Drop::kMalformed);
  EXPECT_EQ(take(FrameType::kKcp, filled(27, 0)).error(), Channels::Drop::kMalformed);
  EXPECT_EQ(take(FrameType::kKcp, filled(28, 0)).error(), Channels::Drop::kOtherEpoch);
  ByteVector body = filled(28, 0);
  Writer(body).u16le(7).u16le(9).u32le(5);
  EXPECT_EQ(take(FrameType::kKcpBack, body).error(), Channels::Drop::kUnknownLane);
  EXPECT_EQ(take(FrameType::kKcp, body).error(), Channels::Drop::kRefused);
}

TEST_F(ChannelsTest, ALaneThatBreaksTheFormatIsAcknowledgedAndKeepsNothing) {
  kcp::Kcp lane(lane_config(1));
  ASSERT_TRUE(lane.send(filled(100'000, 0xff)));
  std::array<std::byte, kLanePacketBytes> packet{};
  while (const auto sent = lane.poll_transmit(now_, packet)) {
    ByteVector body(4 + sent->size);
    Writer(body).u16le(7).u16le(9).put(ConstBytes(packet).first(sent->size));
    EXPECT_TRUE(b_->channels->handle_kcp(now_, FrameType::kKcp, body));
  }
  std::array<std::byte, kFrameRoom> room{};
  EXPECT_GT(b_->channels->poll_frame(now_, room), 0u);
  EXPECT_TRUE(b_->channels->waiting().empty());
  EXPECT_EQ(b_->budget.used(), 0u);
}

}  // namespace
}  // namespace ginnel::node
