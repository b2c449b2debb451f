// Which lanes of the peer's have ever been seen, so that a packet that was delayed does not open one
// again that has ended. Numbers grow from 1 by one; those that are missing are on their way.
#pragma once
#include <cstdint>
#include <set>

namespace ginnel::node {

class SeenLanes {
 public:
  // A number so far ahead of the first one that is missing is refused; its owner sends again.
  static constexpr std::uint32_t kAheadMax = 4096;

  bool contains(std::uint32_t number) const {
    return number <= until_ || beyond_.contains(number);
  }
  // False: too far ahead, nothing changed.
  bool add(std::uint32_t number) {
    if (contains(number)) return true;
    if (number - until_ > kAheadMax) return false;
    beyond_.insert(number);
    while (!beyond_.empty() && *beyond_.begin() == until_ + 1) {
      ++until_;
      beyond_.erase(beyond_.begin());
    }
    return true;
  }

 private:
  std::uint32_t until_ = 0;         // all up to it
  std::set<std::uint32_t> beyond_;  // all > until_ + 1; at most kAheadMax
};

}  // namespace ginnel::node
