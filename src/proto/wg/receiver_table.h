// Receiver index -> whose handshake or key pair it is. Indices are random and unused, so that they
// tell an onlooker nothing (the WireGuard paper, section 5.4.2).
#pragma once
#include <optional>
#include <unordered_map>

#include "base/rng.h"
#include "proto/wg/key_pair.h"

namespace ginnel::wg {

class ReceiverTable {
 public:
  struct Entry {
    PeerHandle peer;
    KeyPair* key_pair = nullptr;  // null while it is a handshake; owned by the peer
  };

  explicit ReceiverTable(Rng rng) : rng_(std::move(rng)) {}

  // Ends: at most kPeersMax * 4 of 2^32 values are taken.
  ReceiverIndex allocate(PeerHandle peer) {
    for (;;) {
      const ReceiverIndex index(rng_.u32());
      if (entries_.try_emplace(index, Entry{peer, nullptr}).second) return index;
    }
  }
  void set(ReceiverIndex index, KeyPair* pair) { entries_.at(index).key_pair = pair; }
  void release(ReceiverIndex index) { entries_.erase(index); }
  std::optional<Entry> find(ReceiverIndex index) const {
    const auto it = entries_.find(index);
    return it == entries_.end() ? std::nullopt : std::optional(it->second);
  }
  std::size_t size() const { return entries_.size(); }

 private:
  Rng rng_;
  std::unordered_map<ReceiverIndex, Entry> entries_;  // never iterated
};

}  // namespace ginnel::wg
