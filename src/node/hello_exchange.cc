#include "node/hello_exchange.h"

#include <algorithm>

#include "base/timers.h"

namespace ginnel::node {

void HelloExchange::start(Instant now) {
  peer_accepted_us_ = false;
  we_accepted_peer_ = false;
  retry_.start(now);
  unheard_ = now + patience_;
}

HelloExchange::Epoch HelloExchange::classify(std::uint64_t epoch) const {
  if (peer_epoch_ == 0) return Epoch::kFirst;
  if (epoch == peer_epoch_) return Epoch::kSame;
  return epoch > peer_epoch_ ? Epoch::kNewer : Epoch::kStale;
}

void HelloExchange::accept(Instant now, const control::Hello& theirs) {
  peer_epoch_ = theirs.epoch;
  we_accepted_peer_ = true;
  unheard_.reset();
  patience_ = kPatience;
  if (const auto agreed = control::negotiate({}, theirs)) features_ = agreed->features;
  if (theirs.holds_your_certificate) peer_accepted_us_ = true;
  if (theirs.wants_answer || !theirs.holds_your_certificate) {
    retry_.start(now);
  } else {
    retry_.stop();
  }
}

control::Hello HelloExchange::take(Instant now) {
  retry_.take_due(now);
  // An answer is sent once: if it is lost, the other asks again.
  if (peer_accepted_us_) retry_.stop();
  control::Hello hello;
  hello.holds_your_certificate = we_accepted_peer_;
  hello.wants_answer = !peer_accepted_us_;
  hello.epoch = own_epoch_;
  return hello;
}

bool HelloExchange::take_unheard(Instant now) {
  if (!unheard_ || *unheard_ > now) return false;
  unheard_.reset();
  patience_ = std::min(patience_ * 2, kPatienceMax);
  return true;
}

std::optional<Instant> HelloExchange::next_timeout() const {
  return earlier(retry_.next(), unheard_);
}

}  // namespace ginnel::node
