// The timer of one suspected member: it starts long and shrinks with each member that suspects it
// too (Lifeguard section IV-B).
//
//   Suspicion s(now, {.confirmations = 2, .min = 4s, .max = 24s}, "accuser");
//   if (s.confirm(now, "another")) pass_it_on();
//   if (s.deadline() <= now) declare_dead();
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"

namespace ginnel::swim {

struct SuspicionOptions {
  std::size_t confirmations = 0;  // k: how many others bring the timer to its minimum
  Nanoseconds min{};
  Nanoseconds max{};
};

// How long after its start a suspicion with that many confirmations ends.
Nanoseconds suspicion_duration(const SuspicionOptions& options, std::size_t confirmed);

class Suspicion {
 public:
  Suspicion(Instant now, const SuspicionOptions& options, std::string_view from);

  // True: `from` is new and counts, so others should hear of it too. The first accuser does not
  // count again, and after `confirmations` nobody does.
  bool confirm(std::string_view from);
  Instant deadline() const;
  // The accuser, then who confirmed, in that order. At most 1 + confirmations.
  const std::vector<std::string>& accusers() const { return accusers_; }

 private:
  Instant start_;
  SuspicionOptions options_;
  std::vector<std::string> accusers_;
};

}  // namespace ginnel::swim
