// HubRegistry and TableCopy back to back: what a hub tells, its followers hold.
#include <gtest/gtest.h>

#include "crypto/dh.h"
#include "crypto/sign.h"
#include "node/hub_registry.h"
#include "node/issuer.h"
#include "node/table_copy.h"

namespace ginnel::node {
namespace {

constexpr Wall kTableTime{1'700'000'000'000'000'000};
const Prefix kRange = *Prefix::parse("10.66.0.0/16");

class HubTable : public ::testing::Test {
 protected:
  PeerRecord peer(const std::string& name) {
    CertificateRequest request;
    request.identity = crypto::public_of(crypto::IdentitySecret::generate(rng_));
    request.session = crypto::public_of(crypto::SessionSecret::generate(rng_));
    request.name = name;
    const auto chain = issuer_.issue(request, trust_, kTableTime);
    return trust_.admit(*chain, kTableTime).value();
  }
  // Moves what the registry has for `follower` into `copy`; returns how many messages.
  int pull(const Id& follower, TableCopy& copy) {
    int count = 0;
    while (const auto message = registry_.next_for(follower, now_)) {
      EXPECT_TRUE(copy.handle(message->type, message->body));
      registry_.done(follower);
      ++count;
    }
    while (auto change = copy.poll_change()) {
      if (const auto* set = std::get_if<RowSet>(&*change)) names_.insert(set->id);
      if (const auto* removed = std::get_if<RowRemoved>(&*change)) names_.erase(removed->id);
    }
    return count;
  }
  bool attach(const PeerRecord& record, std::uint32_t index, std::string_view info = "info") {
    return registry_.attach(now_, record, bytes_of(info), {}, index, {});
  }

  Rng rng_ = Rng::from_seed(1);
  crypto::NetworkSecret network_key_ = crypto::NetworkSecret::generate(rng_);
  crypto::NetworkPublic network_ = crypto::public_of(network_key_);
  Issuer issuer_{network_key_.clone(), kRange};
  Trust trust_{network_};
  Instant now_;
  HubRegistry registry_{77};
  std::set<Id> names_;
};

TEST_F(HubTable, ASnapshotThenDeltasKeepTheCopyEqual) {
  const auto a = peer("a"), b = peer("b"), c = peer("c");
  attach(a, 1);
  attach(b, 2);
  TableCopy copy(network_);
  pull(a.id, copy);
  EXPECT_EQ(names_, (std::set<Id>{a.id, b.id}));
  attach(c, 3);
  EXPECT_EQ(pull(a.id, copy), 1);
  EXPECT_EQ(names_, (std::set<Id>{a.id, b.id, c.id}));
  registry_.detach(b.id);
  EXPECT_EQ(pull(a.id, copy), 1);
  EXPECT_EQ(names_, (std::set<Id>{a.id, c.id}));
  EXPECT_EQ(copy.position(), registry_.position());
}

TEST_F(HubTable, AChangeOfAKnownCertificateTravelsByHash) {
  const auto a = peer("a"), b = peer("b");
  attach(a, 1);
  attach(b, 2);
  TableCopy copy(network_);
  pull(a.id, copy);
  attach(b, 2, "elsewhere");
  const auto delta = registry_.next_for(a.id, now_);
  ASSERT_TRUE(delta);
  EXPECT_LT(delta->body.size(), 100u);
  EXPECT_TRUE(copy.handle(delta->type, delta->body));
  const auto change = copy.poll_change();
  ASSERT_TRUE(change);
  EXPECT_EQ(text_of(std::get<RowSet>(*change).network_info), "elsewhere");
  EXPECT_EQ(std::get<RowSet>(*change).chain, b.chain);
}

TEST_F(HubTable, ARepeatedRegistrationTellsNobody) {
  const auto a = peer("a"), b = peer("b");
  attach(a, 1);
  attach(b, 2);
  TableCopy copy(network_);
  pull(a.id, copy);
  attach(b, 2);
  EXPECT_EQ(pull(a.id, copy), 0);
}

TEST_F(HubTable, AGapAsksForASnapshotAndTheOldRowsStayUntilItIsWhole) {
  const auto a = peer("a"), b = peer("b"), c = peer("c");
  attach(a, 1);
  TableCopy copy(network_);
  pull(a.id, copy);
  attach(b, 2);
  (void)registry_.next_for(a.id, now_);
  registry_.done(a.id);  // lost on the way
  attach(c, 3);
  const auto gap = registry_.next_for(a.id, now_);
  EXPECT_FALSE(copy.handle(gap->type, gap->body));
  EXPECT_TRUE(copy.needs_snapshot());
  EXPECT_EQ(copy.size(), 1u);
  registry_.restart(a.id);
  pull(a.id, copy);
  EXPECT_EQ(names_, (std::set<Id>{a.id, b.id, c.id}));
  EXPECT_FALSE(copy.needs_snapshot());
}

TEST_F(HubTable, ARowThatLeavesDuringASnapshotStartsItAnew) {
  const auto a = peer("a"), b = peer("b");
  attach(a, 1);
  attach(b, 2);
  TableCopy copy(network_);
  const auto begin = registry_.next_for(a.id, now_);
  copy.handle(begin->type, begin->body);
  registry_.done(a.id);
  registry_.detach(b.id);
  pull(a.id, copy);
  EXPECT_EQ(names_, (std::set<Id>{a.id}));
}

TEST_F(HubTable, AFollowerThatIsTooFarBehindGetsASnapshot) {
  const auto a = peer("a"), b = peer("b");
  attach(a, 1);
  TableCopy copy(network_);
  pull(a.id, copy);
  for (std::size_t i = 0; i <= kLogMax; ++i) attach(b, static_cast<std::uint32_t>(2 + i % 2));
  EXPECT_LE(pull(a.id, copy), 4);
  EXPECT_EQ(copy.position(), registry_.position());
}

TEST_F(HubTable, AFollowerThatHoldsThisTableIsContinued) {
  const auto a = peer("a"), b = peer("b");
  attach(a, 1);
  attach(b, 2);
  TableCopy copy(network_);
  pull(a.id, copy);
  registry_.detach(a.id);
  registry_.attach(now_, a, bytes_of("info"), {}, 1, copy.position());
  EXPECT_EQ(pull(a.id, copy), 2);  // its own going and coming
  EXPECT_EQ(names_, (std::set<Id>{a.id, b.id}));
}

TEST_F(HubTable, TellsWhoFellSilent) {
  const auto a = peer("a"), b = peer("b");
  attach(a, 1);
  now_ = now_ + 3s;
  attach(b, 2);
  EXPECT_EQ(registry_.silent(now_ - 1s), (std::vector<Id>{a.id}));
  registry_.heard(now_, a.id);
  EXPECT_TRUE(registry_.silent(now_ - 1s).empty());
}

// A hub that lost nobody goes on with deltas; who dropped the hub's rows meanwhile needs them all.
TEST_F(HubTable, WhoForgotItsPositionGetsEveryRowAgain) {
  const auto a = peer("a"), b = peer("b");
  attach(a, 1);
  attach(b, 2);
  TableCopy copy(network_);
  pull(a.id, copy);
  names_.clear();
  copy.forget_position();
  registry_.detach(a.id);
  registry_.attach(now_, a, bytes_of("info"), {}, 3, copy.position());
  pull(a.id, copy);
  EXPECT_EQ(names_, (std::set<Id>{a.id, b.id}));
  EXPECT_EQ(copy.position(), registry_.position());
}

TEST_F(HubTable, ANewRunOfAFollowerIsSentTheIssuersAgain) {
  const auto hub_key = crypto::IdentitySecret::generate(rng_);
  const auto hub_chain =
      issuer_.issue({.role = Role::kHub,
                     .identity = crypto::public_of(hub_key),
                     .session = crypto::public_of(crypto::SessionSecret::generate(rng_)),
                     .name = "hub"},
                    trust_, kTableTime);
  Issuer delegated(network_, hub_key.clone(), control::parse_chain(*hub_chain)->leaf);
  const auto chain =
      delegated.issue({.identity = crypto::public_of(crypto::IdentitySecret::generate(rng_)),
                       .session = crypto::public_of(crypto::SessionSecret::generate(rng_)),
                       .name = "a"},
                      trust_, kTableTime);
  ASSERT_TRUE(chain);
  const auto a = trust_.admit(*chain, kTableTime).value();
  attach(a, 1);
  TableCopy copy(network_);
  pull(a.id, copy);
  TableCopy new_run(network_);
  registry_.restart(a.id);
  pull(a.id, new_run);
  EXPECT_EQ(new_run.size(), 1u);
}

}  // namespace
}  // namespace ginnel::node
