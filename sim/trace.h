// What happened, for whom a run failed: the last events as text, and a hash over all of them, so
// that two runs can be compared.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/instant.h"
#include "sim/drop.h"

namespace ginnel::sim {

enum class TraceKind : std::uint8_t {
  kSend,     // subject: machine; detail: payload bytes
  kDeliver,  // subject: machine; detail: payload bytes
  kDrop,     // subject: attachment; detail: DropReason
  kTimeout,  // subject: machine
  kStart,    // subject: machine
  kCrash,    // subject: machine
  kFault,    // subject: FaultKind; detail: its number in the plan
  kCount,
};

struct TraceEntry {
  Instant at;
  TraceKind kind = TraceKind::kSend;
  std::uint32_t subject = 0;
  std::uint64_t detail = 0;
  Endpoint source;
  Endpoint target;

  std::string text() const;
};

class Trace {
 public:
  // The last `entries_max` entries are kept; 0: only the hash.
  explicit Trace(std::size_t entries_max) : ring_(entries_max) {}

  void add(const TraceEntry& entry) {
    mix(static_cast<std::uint64_t>(entry.at.ns));
    mix(static_cast<std::uint64_t>(entry.kind) << 32 | entry.subject);
    mix(entry.detail);
    mix(static_cast<std::uint64_t>(entry.source.port) << 16 | entry.target.port);
    if (!ring_.empty()) ring_[count_ % ring_.size()] = entry;
    ++count_;
  }
  // Payload bytes go into the hash only.
  void add_bytes(ConstBytes bytes);

  std::uint64_t hash() const { return hash_; }
  std::uint64_t count() const { return count_; }
  // The last `lines_max` entries, oldest first, one a line.
  std::string text(std::size_t lines_max) const;

 private:
  void mix(std::uint64_t word) {
    hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 29;
  }

  std::vector<TraceEntry> ring_;
  std::uint64_t count_ = 0;
  std::uint64_t hash_ = 0x243f6a8885a308d3;  // digits of pi: anything but zero
};

}  // namespace ginnel::sim
