// A TCP transfer of the demo's own between two network namespaces.
//
// Both ends live in this process: a socket stays in the namespace that it was made in. The receiver
// compares every byte.
#pragma once
#include <ginnel/error.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "base/address.h"

namespace ginnel::cli::demo {

struct Transfer {
  std::string source;  // the namespace of the sender; empty: ours
  std::string target;  // and of the receiver
  Address address;     // the receiver's, as the sender reaches it
  std::chrono::milliseconds duration{2000};  // of sending
  int interrupt_fd = -1;
};

struct Transferred {
  std::uint64_t bytes = 0;  // that arrived as they were sent
  double seconds = 0;       // from the first byte sent to the last one received
};

// Errors: kUnreachable (no connection), kTimeout (nothing arrives any more), kInternal (a byte
// differs, or the system refuses), kCancelled.
Result<Transferred, Error> transfer(const Transfer& what);

// "812.4 Mbit/s", "1.3 Gbit/s".
std::string bit_rate_text(double bits_per_second);

}  // namespace ginnel::cli::demo
