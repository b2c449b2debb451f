#include "proto/wg/key_pairs.h"

#include "base/assert.h"

namespace ginnel::wg {

// wireguard-go BeginSymmetricSession: a next that was not confirmed yet becomes previous, since its
// initiator may be about to send with it (both sides initiated at once).
void KeyPairs::add_as_initiator(std::unique_ptr<KeyPair> pair, Retired& retired) {
  if (!next_) forget_fallen(retired);
  fall(previous_);
  if (next_) {
    fall(current_);
    previous_ = std::move(next_);
  } else {
    previous_ = std::move(current_);
  }
  current_ = std::move(pair);
}

void KeyPairs::add_as_responder(std::unique_ptr<KeyPair> pair, Retired& retired) {
  retire(next_, retired);
  forget_fallen(retired);
  fall(previous_);
  next_ = std::move(pair);
}

void KeyPairs::confirm_next() {
  GINNEL_ASSERT(next_ != nullptr);
  fall(previous_);
  previous_ = std::move(current_);
  current_ = std::move(next_);
}

void KeyPairs::clear(Retired& retired) {
  retire(previous_, retired);
  retire(current_, retired);
  retire(next_, retired);
  forget_fallen(retired);
}

}  // namespace ginnel::wg
