// Leaves that serf's clock does not order as they happened: a member that restarts begins again at
// time 1, and others remember its former life. (Found by churn: serf called members failed that had
// left, and dialled them for a day.)
#include <gtest/gtest.h>

#include "base/drain.h"
#include "proto/swim/serf/serf.h"
#include "proto/swim/serf/user_state.h"
#include "proto/swim/unfold.h"

namespace ginnel::swim::serf {
namespace {

// One member, "me", and what it sends to "peer", of which it has heard.
class SerfLeave : public ::testing::Test {
 protected:
  SerfLeave() : swim(config(), Rng::from_seed(1)), serf(swim, Rng::from_seed(2)) {
    swim.start(now);
    serf.start(now);
    hear_of_peer(Incarnation(1));
    run(3s);
    sent.clear();
  }
  static Config config() {
    Config out;
    out.name = "me";
    out.advertise = *Endpoint::parse("10.0.0.1:7946");
    out.frame.compress = false;
    out.probe_interval = 24h;  // nobody is there to answer
    out.push_pull_interval = 0s;
    out.reconnect_interval = 0s;
    return out;
  }
  void hear(ByteVector datagram) {
    swim.handle_datagram(now, kSocket, *Endpoint::parse("10.0.0.2:7946"), datagram);
    settle();
  }
  void hear_of_peer(Incarnation incarnation) {
    const Endpoint at = *Endpoint::parse("10.0.0.2:7946");
    hear(swim::encode(Alive{incarnation, "peer", at, {}, Vsn()}));
  }
  void hear_of_third() {
    const Endpoint at = *Endpoint::parse("10.0.0.3:7946");
    hear(swim::encode(Alive{Incarnation(1), "third", at, {}, Vsn()}));
  }
  void hear_rumor(const ByteVector& message) {
    ByteVector out{static_cast<std::byte>(MessageType::kUser)};
    out.insert(out.end(), message.begin(), message.end());
    hear(std::move(out));
  }
  // A push/pull's user state, as it comes from Swim.
  void hear_state(const UserState& state, bool join = false) {
    serf.handle(now, RemoteState{encode(state), join});
    settle();
  }
  void settle() {
    while (const auto event = swim.poll_event()) serf.handle(now, *event);
    ByteVector bytes(kDatagramBytesMax);
    while (const auto transmit = swim.poll_transmit(now, bytes)) {
      ByteVector scratch;
      Unfolder(*this).unfold(
          *swim.framer().open_datagram(ConstBytes(bytes).first(transmit->size), scratch));
    }
  }
  void run(Nanoseconds duration) {
    const Instant end = now + duration;
    while (now < end) {
      now = now + 100ms;
      swim.handle_timeout(now);
      serf.handle_timeout(now);
      settle();
    }
  }
  template <class Intent>
  std::vector<Ltime> times_of(Type type, std::string_view name) const {
    std::vector<Ltime> out;
    for (const ByteVector& message : sent) {
      if (message.empty() || message[0] != static_cast<std::byte>(type)) continue;
      const auto intent = Intent::parse(ConstBytes(message).subspan(1));
      if (intent && intent->node == name) out.push_back(intent->ltime);
    }
    return out;
  }

 public:  // for Unfolder
  void on_message(MessageType type, ConstBytes body) {
    if (type == MessageType::kUser) sent.push_back(to_vector(body));
  }
  void on_drop(Drop) {}

 protected:
  Instant now = Instant();
  Swim swim;
  Serf serf;
  std::vector<ByteVector> sent;
};

constexpr Ltime kFormerLife = 400;

TEST_F(SerfLeave, OfARestartedMemberIsNewerThanAllThatItsClusterRemembersOfIt) {
  hear_state({.ltime = kFormerLife + 1, .status_ltimes = {{"me", kFormerLife}}}, true);
  serf.announce_leave(now);
  run(1s);
  const auto times = times_of<LeaveIntent>(Type::kLeave, "me");
  ASSERT_FALSE(times.empty());
  EXPECT_GT(times[0], kFormerLife);
}

// Its join went by a member whose clock was behind; this is another's word, later.
TEST_F(SerfLeave, WhoIsRememberedFromALaterLifeThanItsOwnSaysAgainThatItIsHere) {
  hear_state({.ltime = 20, .status_ltimes = {{"me", kFormerLife}}});
  run(1s);
  const auto joins = times_of<JoinIntent>(Type::kJoin, "me");
  ASSERT_FALSE(joins.empty());
  EXPECT_GT(joins[0], kFormerLife);
  sent.clear();
  hear_state({.ltime = 20, .status_ltimes = {{"me", kFormerLife}}});
  run(1s);
  EXPECT_TRUE(times_of<JoinIntent>(Type::kJoin, "me").empty());  // once
}

TEST_F(SerfLeave, ThatWasOldNewsIsSaidAgainForTheMemberThatLeft) {
  hear_rumor(encode(JoinIntent{kFormerLife, "peer"}));
  hear_rumor(encode(LeaveIntent{30, "peer"}));  // its own clock is behind
  EXPECT_FALSE(serf.is_leaving("peer"));
  hear_of_third();
  hear(swim::encode(Dead{Incarnation(1), "peer", "peer"}));
  run(5s);
  EXPECT_TRUE(serf.is_leaving("peer"));
  const auto times = times_of<LeaveIntent>(Type::kLeave, "peer");
  ASSERT_FALSE(times.empty());
  EXPECT_GT(times[0], kFormerLife);
}

TEST_F(SerfLeave, ThatWasHeardInTimeIsNotSaidByAnybodyElse) {
  hear_of_third();
  hear(swim::encode(Dead{Incarnation(1), "peer", "peer"}));
  hear_rumor(encode(LeaveIntent{30, "peer"}));  // late, but it comes
  run(1s);
  sent.clear();
  run(60s);
  EXPECT_TRUE(times_of<LeaveIntent>(Type::kLeave, "peer").empty());
}

TEST_F(SerfLeave, OfAMemberThatIsBackIsNotSaid) {
  hear_of_third();
  hear(swim::encode(Dead{Incarnation(1), "peer", "peer"}));
  run(1s);
  hear_of_peer(Incarnation(2));
  run(60s);
  EXPECT_TRUE(times_of<LeaveIntent>(Type::kLeave, "peer").empty());
  EXPECT_FALSE(serf.is_leaving("peer"));
}

// A member that failed has left nobody a word, and is to be called failed.
TEST_F(SerfLeave, IsNotSaidForAMemberThatFailed) {
  hear_of_third();
  hear(swim::encode(Dead{Incarnation(1), "peer", "third"}));
  run(60s);
  EXPECT_FALSE(serf.is_leaving("peer"));
}

}  // namespace
}  // namespace ginnel::swim::serf
