// The ids of the messages that programs were given last (docs/wire/ginnel.md section 7): one that
// comes again is not given again.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

namespace ginnel::node {

class GivenIds {
 public:
  // As many as a sender may have under way. Past it the oldest is forgotten.
  static constexpr std::size_t kMax = 4096;

  bool contains(std::uint64_t id) const { return taken_.contains(id); }
  bool is_taken(std::uint64_t id) const {
    const auto it = taken_.find(id);
    return it != taken_.end() && it->second;
  }
  void add(std::uint64_t id) {
    if (!taken_.emplace(id, false).second) return;
    order_.push_back(id);
    if (order_.size() <= kMax) return;
    taken_.erase(order_.front());
    order_.pop_front();
  }
  // The program has confirmed it.
  void take(std::uint64_t id) {
    if (const auto it = taken_.find(id); it != taken_.end()) it->second = true;
  }

 private:
  std::map<std::uint64_t, bool> taken_;
  std::deque<std::uint64_t> order_;  // the keys of taken_
};

}  // namespace ginnel::node
