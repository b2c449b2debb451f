// A regular expression over a tag's value, as queries filter by it. The part of Go's syntax that is
// used for this: literals, `.`, classes `[a-z]` and `[^…]`, `\d \w \s` and escapes, groups, `|`,
// `*`, `+`, `?`, `^`, `$`. An automaton without backtracking: time is text times pattern.
//
//   auto pattern = Pattern::parse("^web-[0-9]+$");
//   if (pattern && pattern->matches("web-7")) ...
#pragma once
#include <bitset>
#include <optional>
#include <string_view>
#include <vector>

namespace ginnel::swim::serf {

class Pattern {
 public:
  static constexpr std::size_t kBytesMax = 512;  // longer ones are refused
  static constexpr int kDepthMax = 32;           // of groups

  // nullopt: not well-formed, too long, or of Go's syntax beyond the above.
  static std::optional<Pattern> parse(std::string_view text);
  // Whether any part of the text fits.
  bool matches(std::string_view text) const;

 private:
  friend class PatternParser;
  enum class Kind : std::uint8_t { kSet, kSplit, kBegin, kEnd, kMatch };
  struct State {
    Kind kind = Kind::kMatch;
    std::bitset<256> set{};  // of kSet
    std::size_t next = 0;
    std::size_t other = 0;  // of kSplit
  };
  void add(std::size_t state, bool at_begin, bool at_end, std::vector<bool>& in) const;

  std::vector<State> states_;
  std::size_t start_ = 0;
};

}  // namespace ginnel::swim::serf
