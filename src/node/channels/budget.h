// How many bytes all channels of one node may hold together (API.md: 64 MiB by default). Shared by
// reference; belongs to the node's thread.
#pragma once
#include <algorithm>
#include <cstddef>

namespace ginnel::node {

class Budget {
 public:
  explicit Budget(std::size_t limit_bytes) : limit_(limit_bytes) {}

  // False: it would exceed the limit, and nothing was charged.
  bool try_charge(std::size_t bytes) {
    if (bytes > limit_ - used_) return false;
    used_ += bytes;
    return true;
  }
  void release(std::size_t bytes) { used_ -= std::min(bytes, used_); }
  std::size_t used() const { return used_; }

 private:
  std::size_t limit_;
  std::size_t used_ = 0;
};

}  // namespace ginnel::node
