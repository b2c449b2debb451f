// Watches a run from outside the nodes and says what must not be. Safety is looked at after each
// step; what must have come back once the faults stopped, in finish().
//
//   world.watch(checker);   // the checker outlives the world's last step
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "sim/ids.h"

namespace ginnel::sim {

class World;

class Checker {
 public:
  // The first ones tell the most; further violations are only counted.
  static constexpr std::size_t kViolationsMax = 32;

  virtual ~Checker() = default;
  // After each event.
  virtual void on_step(const World&) {}
  virtual void on_crash(const World&, MachineId) {}
  // The run is over, and quiet time has passed since the last fault.
  virtual void finish(const World&) {}

  const std::vector<std::string>& violations() const { return violations_; }
  std::size_t violation_count() const { return count_; }

 protected:
  void violated(std::string what) {
    if (count_++ < kViolationsMax) violations_.push_back(std::move(what));
  }

 private:
  std::vector<std::string> violations_;
  std::size_t count_ = 0;
};

}  // namespace ginnel::sim
