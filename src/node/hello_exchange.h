// The HELLO exchange of one session: ours goes out until the other says that it holds and accepts
// our certificate; theirs is accepted once its certificate is (docs/wire/ginnel.md section 6).
//
//   HelloExchange hello(epoch);
//   hello.start(now);                                  // a session stands
//   if (hello.is_due(now)) hello.take(now) -> what to send
//   hello.accepted(now, theirs);                       // after Trust admitted the chain
//
// Pure; never allocates.
#pragma once
#include "base/retry.h"
#include "proto/control/hello.h"

namespace ginnel::node {

class HelloExchange {
 public:
  // What the accepted HELLO means for the state that outlives sessions.
  enum class Epoch : std::uint8_t { kFirst, kSame, kNewer, kStale };

  explicit HelloExchange(std::uint64_t own_epoch) : own_epoch_(own_epoch) {}

  // A new session: our HELLO is due at once.
  void start(Instant now);
  void stop() {
    retry_.stop();
    unheard_.reset();
  }
  // Our certificate is a new one: it goes out again within the session, until the other has it.
  void announce(Instant now) {
    peer_accepted_us_ = false;
    retry_.start(now);
  }

  // Classifies an epoch before anything is accepted.
  Epoch classify(std::uint64_t epoch) const;
  // The other's certificate was believed and its HELLO not stale.
  void accept(Instant now, const control::Hello& theirs);

  bool is_due(Instant now) const { return retry_.is_due(now); }
  // True once per wait: nobody answers, as if the other had forgotten our keys (a provisional
  // session that ended, a crash). Another handshake is due; the waits double up to kPatienceMax.
  bool take_unheard(Instant now);
  // Our next HELLO without its certificate, which the caller adds.
  control::Hello take(Instant now);

  bool peer_accepted_us() const { return peer_accepted_us_; }
  bool we_accepted_peer() const { return we_accepted_peer_; }
  // Everything may be sent and taken.
  bool is_complete() const { return peer_accepted_us_ && we_accepted_peer_; }
  std::uint64_t peer_epoch() const { return peer_epoch_; }
  std::uint64_t own_epoch() const { return own_epoch_; }
  std::uint64_t features() const { return features_; }
  std::optional<Instant> next_timeout() const;

 private:
  static constexpr Nanoseconds kPatience = 3s;
  static constexpr Nanoseconds kPatienceMax = 48s;

  std::uint64_t own_epoch_;
  std::uint64_t peer_epoch_ = 0;  // 0: never met
  std::uint64_t features_ = 0;
  bool peer_accepted_us_ = false;
  bool we_accepted_peer_ = false;
  RetrySchedule retry_{{.first = 250ms, .longest = 1s}};
  Nanoseconds patience_ = kPatience;
  std::optional<Instant> unheard_;  // when nobody has answered for `patience_`
};

}  // namespace ginnel::node
