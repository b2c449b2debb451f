// "Did you mean": the known word that a mistyped one is closest to.
//
//   nearest("stauts", verbs);   // "status"
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace ginnel::config {

// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Empty: nothing is close enough to be meant (a third of the letters, at least one, may differ).
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace ginnel::config
