#include "runtime/config/nearest.h"

#include <algorithm>
#include <vector>

namespace ginnel::config {

// Shorter beginnings mean nothing.
constexpr std::size_t kPrefixMin = 3;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Rows of the matrix of optimal string alignment: two back (for swaps), one back, this one.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, (word.size() + 1) / 3) + 1;
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  if (!best.empty() || word.size() < kPrefixMin) return best;
  const auto begins = [&](std::string_view candidate) { return candidate.starts_with(word); };
  const auto first = std::ranges::find_if(known, begins);
  return std::ranges::count_if(known, begins) == 1 ? *first : "";
}

}  // namespace ginnel::config
