// Longest-prefix match as a binary search: prefixes are flattened into the ranges between their
// ends, each with the value of the longest prefix over it. 16 steps for 65 000 prefixes, whatever
// their lengths, and nothing that an attacker could make slow.
//
// Immutable once built. Lookups never allocate.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace ginnel::forward {

template <class Key>  // an unsigned integer
class RangeMap {
 public:
  static constexpr std::uint32_t kNothing = UINT32_MAX;
  struct Entry {
    Key first;  // of a prefix: two of them are nested or apart
    Key last;
    std::uint32_t value;
  };

  RangeMap() = default;
  // Of two entries with the same range the later one counts.
  explicit RangeMap(std::vector<Entry> entries) {
    std::ranges::stable_sort(entries, [](const Entry& a, const Entry& b) {
      return a.first != b.first ? a.first < b.first : a.last > b.last;
    });
    std::vector<Entry> open;  // nested, the innermost last
    for (const Entry& entry : entries) {
      while (!open.empty() && open.back().last < entry.first) close(open);
      begin(entry.first, entry.value);
      open.push_back(entry);
    }
    while (!open.empty()) close(open);
  }

  std::uint32_t find(Key key) const {
    const auto after = std::ranges::upper_bound(starts_, key);
    if (after == starts_.begin()) return kNothing;
    return values_[static_cast<std::size_t>(after - starts_.begin()) - 1];
  }
  std::size_t ranges() const { return starts_.size(); }

 private:
  void begin(Key at, std::uint32_t value) {
    if (!starts_.empty() && starts_.back() == at) {
      values_.back() = value;
      return;
    }
    starts_.push_back(at);
    values_.push_back(value);
  }
  // The innermost range ends; what surrounds it goes on.
  void close(std::vector<Entry>& open) {
    const Key last = open.back().last;
    open.pop_back();
    if (last == static_cast<Key>(~Key{0})) return;
    begin(static_cast<Key>(last + 1), open.empty() ? kNothing : open.back().value);
  }

  std::vector<Key> starts_;  // ascending
  std::vector<std::uint32_t> values_;
};

}  // namespace ginnel::forward
