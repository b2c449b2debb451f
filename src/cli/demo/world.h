// The internet of the demo: six network namespaces, the cables between them, and two NATs.
//
//   alice 192.168.20.2 -- [router-a 198.51.100.20] --+
//                                                    +-- [internet] -- hub 203.0.113.7
//   bob   192.168.30.2 -- [router-b 192.0.2.30]    --+
//
// Nothing of the machine's own network is touched. Every name begins with "gd<pid>-", so that two
// demos do not meet.
#pragma once
#include <ginnel/error.h>

#include <string>
#include <string_view>

#include "cli/demo/process.h"

namespace ginnel::cli::demo {

inline constexpr std::string_view kHubAddress = "203.0.113.7";
inline constexpr std::string_view kAliceRouter = "198.51.100.20";
inline constexpr std::string_view kBobRouter = "192.0.2.30";

// The nft script of a router: everything that leaves it has its address, and nobody comes in
// unasked. Linux keeps the inside port for every target, so the mapping is endpoint-independent.
// Filtering is by address and port, or, with `answers_from_any_port`, by address alone.
struct Nat {
  std::string_view lan;  // "192.168.20.0/24"
  bool answers_from_any_port = false;
};
std::string nat_rules(const Nat& nat);

class World {
 public:
  // Errors: what the system refused, in one line. Nothing is left behind then.
  static Result<World, Error> build(const Patience& patience);
  World(World&& other) noexcept : prefix_(std::exchange(other.prefix_, "")) {}
  World& operator=(World&&) = delete;
  ~World();  // removes the namespaces; what still runs in them keeps them alive

  // The namespace where "hub", "alice" or "bob" lives.
  std::string network(std::string_view who) const { return prefix_ + std::string(who); }

 private:
  explicit World(std::string prefix) : prefix_(std::move(prefix)) {}
  Result<void, Error> add_namespaces(const Patience& patience);
  Result<void, Error> connect(const Patience& patience);
  Result<void, Error> configure(const Patience& patience);

  std::string prefix_;  // empty: moved from
};

}  // namespace ginnel::cli::demo
