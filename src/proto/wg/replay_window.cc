#include "proto/wg/replay_window.h"

#include <algorithm>

namespace ginnel::wg {
namespace {

constexpr std::uint64_t word_of(std::uint64_t counter) { return counter / ReplayWindow::kWordBits; }
constexpr std::uint64_t slot_of(std::uint64_t counter) {
  return word_of(counter) % ReplayWindow::kWords;
}
constexpr std::uint64_t bit_of(std::uint64_t counter) {
  return std::uint64_t{1} << counter % ReplayWindow::kWordBits;
}

}  // namespace

bool ReplayWindow::is_stale(std::uint64_t counter) const {
  if (counter > greatest_) return false;
  if (greatest_ - counter > kBehindMax) return true;
  return (words_[slot_of(counter)] & bit_of(counter)) != 0;
}

bool ReplayWindow::accept(std::uint64_t counter) {
  if (is_stale(counter)) return false;
  if (counter > greatest_) {
    // Clears the words between; a jump past the whole ring clears each once.
    const std::uint64_t fresh = std::min(word_of(counter) - word_of(greatest_), kWords);
    for (std::uint64_t i = 1; i <= fresh; ++i) words_[(word_of(greatest_) + i) % kWords] = 0;
    greatest_ = counter;
  }
  words_[slot_of(counter)] |= bit_of(counter);
  return true;
}

}  // namespace ginnel::wg
