// Messages on their way to everybody: each is sent a number of times that grows with the logarithm
// of the cluster, then dropped (memberlist queue.go, TransmitLimitedQueue).
//
//   queue.add("member a", message);                 // replaces an older one of that subject
//   queue.take(budget, transmit_limit, messages);   // what goes into one packet
//
// Served: the least sent first, of those the largest that fits, of those the newest.
#pragma once
#include <map>
#include <set>
#include <string>

#include "base/bytes.h"

namespace ginnel::swim {

class BroadcastQueue {
 public:
  // More are not held: the one that was sent most often and is oldest goes.
  static constexpr std::size_t kMessagesMax = 16384;

  // A message without subject (empty) replaces nothing and is never replaced.
  void add(std::string_view subject, ByteVector message);
  // Appends messages to `out` while they fit into `budget_bytes`, of which each also takes
  // `overhead_bytes`. Returns what is left of the budget.
  std::size_t take(std::size_t budget_bytes, std::size_t overhead_bytes,
                   std::uint32_t transmit_limit, std::vector<ByteVector>& out);

  bool contains(std::string_view subject) const { return by_subject_.contains(subject); }
  bool empty() const { return messages_.empty(); }
  std::size_t size() const { return messages_.size(); }

 private:
  struct Key {  // in the order of service
    std::uint32_t transmits = 0;
    std::size_t size_inverse = 0;  // larger messages first
    std::uint64_t age_inverse = 0; // newer ones first
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Entry {
    std::string subject;
    ByteVector message;
  };
  static std::size_t inverse(std::size_t size) { return ~size; }
  void erase(std::map<Key, Entry>::iterator it);

  std::map<Key, Entry> messages_;
  std::map<std::string, Key, std::less<>> by_subject_;  // those with a subject
  std::uint64_t added_ = 0;
};

}  // namespace ginnel::swim
