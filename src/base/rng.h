// Randomness as a value: a ChaCha20 key stream (RFC 8439 section 2.4). The driver keys it with 32
// bytes from the kernel, or from a seed in tests and the simulator; cores never ask the system.
//
//   Rng rng(key);
//   Rng mine = rng.fork("prober");   // an independent stream
//   mine.below(10);
//
// Move-only, so that no two cores share a stream. Never allocates.
#pragma once
#include "base/bytes.h"
#include "base/instant.h"

namespace ginnel {

class Rng {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit Rng(const Key& key) : key_(key) {}
  // For tests and the simulator: a stream from a small number.
  static Rng from_seed(std::uint64_t seed);

  Rng(Rng&& other) noexcept = default;
  Rng& operator=(Rng&& other) noexcept = default;
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;

  void fill(Bytes out);
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> out{};
    fill(std::as_writable_bytes(std::span(out)));
    return out;
  }
  std::uint64_t u64();
  std::uint32_t u32() { return static_cast<std::uint32_t>(u64()); }
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double uniform();
  bool chance(double probability) { return uniform() < probability; }
  // Uniform in [low, high].
  Nanoseconds between(Nanoseconds low, Nanoseconds high);

  // A new stream: its key is 32 bytes of this one mixed with the label.
  Rng fork(std::string_view label);

 private:
  void refill();

  Key key_;
  std::uint64_t counter_ = 0;
  std::array<std::uint8_t, 64> block_{};
  std::size_t used_ = 64;  // bytes of block_ handed out
};

}  // namespace ginnel
