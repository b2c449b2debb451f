// Which counters of a key pair were already accepted (RFC 6479): a ring of bit words that moves
// with the greatest counter seen, so that moving costs a word, not a shift of the whole.
//
//   if (!window.accept(counter)) ...   // only after the packet was authenticated
//
// Not thread-safe. Never allocates.
#pragma once
#include <array>
#include <cstdint>

namespace ginnel::wg {

class ReplayWindow {
 public:
  static constexpr std::uint64_t kWordBits = 64;
  static constexpr std::uint64_t kWords = 128;  // a power of two
  // How far behind the greatest accepted counter one may be: one word is always being refilled.
  static constexpr std::uint64_t kBehindMax = (kWords - 1) * kWordBits;  // 8128

  // True once per counter. False: seen before, or more than kBehindMax behind.
  bool accept(std::uint64_t counter);
  // Whether accept() would say no, without changing anything: cheap, before an AEAD is opened.
  bool is_stale(std::uint64_t counter) const;
  std::uint64_t greatest() const { return greatest_; }

 private:
  std::uint64_t greatest_ = 0;
  std::array<std::uint64_t, kWords> words_{};  // bit c % 64 of word (c / 64) % kWords: c was seen
};

}  // namespace ginnel::wg
