#include "proto/wg/key_pairs.h"

#include "base/assert.h"

namespace ginnel::wg {

// wireguard-go BeginSymmetricSession: a next that was not confirmed yet becomes previous, since its
// initiator may be about to send with it (both sides initiated at once).
void KeyPairs::add_as_initiator(std::unique_ptr<KeyPair> pair, Retired& retired) {
  retire(previous_, retired);
  if (next_) {
    retire(current_, retired);
    previous_ = std::move(next_);
  } else {
    previous_ = std::move(current_);
  }
  current_ = std::move(pair);
}

void KeyPairs::add_as_responder(std::unique_ptr<KeyPair> pair, Retired& retired) {
  retire(next_, retired);
  retire(previous_, retired);
  next_ = std::move(pair);
}

void KeyPairs::confirm_next(Retired& retired) {
  GINNEL_ASSERT(next_ != nullptr);
  retire(previous_, retired);
  previous_ = std::move(current_);
  current_ = std::move(next_);
}

void KeyPairs::clear(Retired& retired) {
  retire(previous_, retired);
  retire(current_, retired);
  retire(next_, retired);
}

}  // namespace ginnel::wg
