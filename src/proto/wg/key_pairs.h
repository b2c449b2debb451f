// The three key pairs a peer may have at a time (the WireGuard paper, section 6.1):
//
//   as initiator, on the response:       new -> current, old current -> previous
//   as responder, on sending it:         new -> next; not for sending until the peer used it
//   next is confirmed by its first data: next -> current, old current -> previous
//
// Sending uses only current; receiving works on all three. What falls out is handed to the caller.
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
  void confirm_next(Retired& retired);
  void clear(Retired& retired);

 private:
  static void retire(std::unique_ptr<KeyPair>& pair, Retired& retired) {
    if (pair) retired.push_back(std::move(pair));
  }

  std::unique_ptr<KeyPair> previous_;
  std::unique_ptr<KeyPair> current_;
  std::unique_ptr<KeyPair> next_;
};

}  // namespace ginnel::wg
