// No two packets are sealed under one key with one counter (WireGuard section 5.4.6: the nonce).
// Looks at what leaves each machine: who seals (machine, receiver index) is one key, and its
// counter must only grow.
//
//   SealChecker seals;
//   world.watch(seals);
//   seals.sent(world, machine, datagram);   // each one that leaves
#pragma once
#include <map>

#include "base/bytes.h"
#include "sim/checker.h"

namespace ginnel::sim {

class SealChecker : public Checker {
 public:
  void sent(const World& world, MachineId from, ConstBytes datagram);
  // Another run of the machine has other keys.
  void on_crash(const World& world, MachineId machine) override;

  std::uint64_t checked() const { return checked_; }

 private:
  struct Key {
    MachineId from;
    std::uint32_t receiver_index = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  std::map<Key, std::uint64_t> counters_;  // the last one seen
  std::uint64_t checked_ = 0;
};

}  // namespace ginnel::sim
