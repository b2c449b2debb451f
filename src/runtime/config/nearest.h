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

// A third of the letters, at least one, may differ; or the word is the beginning of one known word
// only. Empty: nothing is close enough to be meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace ginnel::config
