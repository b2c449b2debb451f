// The key pairs a peer may have at a time (the WireGuard paper, section 6.1):
//
//   as initiator, on the response:       new -> current, old current -> previous
//   as responder, on sending it:         new -> next; not for sending until the peer used it
//   next is confirmed by its first data: next -> current, old current -> previous
//
// Sending uses only current; receiving works on all. What falls out is handed to the caller.
//
// Deviation: what falls out is received on until the next handshake. When both sides initiated at
// once, each is the initiator of its current pair and sends under that, which is the other's
// previous; so both rekey at one moment, and WireGuard forgets what is still sent under: a round
// trip's worth of packets each REKEY_AFTER_TIME. An expired pair opens nothing in any case.
#pragma once
#include <memory>
#include <vector>

#include "proto/wg/key_pair.h"

namespace ginnel::wg {

class KeyPairs {
 public:
  using Retired = std::vector<std::unique_ptr<KeyPair>>;

  KeyPair* current() const { return current_.get(); }
  KeyPair* next() const { return next_.get(); }
  KeyPair* previous() const { return previous_.get(); }

  void add_as_initiator(std::unique_ptr<KeyPair> pair, Retired& retired);
  void add_as_responder(std::unique_ptr<KeyPair> pair, Retired& retired);
  // next becomes current.
  void confirm_next();
  void clear(Retired& retired);

 private:
  void forget_fallen(Retired& retired) {
    for (auto& pair : fallen_) retire(pair, retired);
    fallen_.clear();
  }
  void fall(std::unique_ptr<KeyPair>& pair) {
    if (pair) fallen_.push_back(std::move(pair));
  }
  static void retire(std::unique_ptr<KeyPair>& pair, Retired& retired) {
    if (pair) retired.push_back(std::move(pair));
  }

  std::unique_ptr<KeyPair> previous_;
  std::unique_ptr<KeyPair> current_;
  std::unique_ptr<KeyPair> next_;
  // At the last handshake: previous, and current if both sides initiated, and previous again when
  // next was confirmed. At most 3.
  Retired fallen_;
};

}  // namespace ginnel::wg
