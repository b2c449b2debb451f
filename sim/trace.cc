#include "sim/trace.h"

#include <algorithm>
#include <cstring>

namespace ginnel::sim {
namespace {

std::string seconds(Instant at) {
  std::string digits = std::to_string(at.ns % 1'000'000'000);
  digits.insert(0, 9 - digits.size(), '0');
  return std::to_string(at.ns / 1'000'000'000) + "." + digits;
}

std::string_view verb(TraceKind kind) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(TraceKind::kCount)>
      kVerbs = {"send", "deliver", "drop", "timeout", "start", "crash", "fault"};
  return kVerbs[static_cast<std::size_t>(kind)];
}

}  // namespace

std::string TraceEntry::text() const {
  std::string out = seconds(at) + " " + std::string(verb(kind)) + " " + std::to_string(subject);
  if (kind == TraceKind::kSend || kind == TraceKind::kDeliver || kind == TraceKind::kDrop) {
    out += " " + source.text() + " > " + target.text();
  }
  if (kind == TraceKind::kDrop) return out + " " + std::string(drop_name(DropReason(detail)));
  return detail == 0 ? out : out + " " + std::to_string(detail);
}

void Trace::add_bytes(ConstBytes bytes) {
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(sizeof word, bytes.size());
    std::memcpy(&word, bytes.data(), size);
    mix(word);
    bytes = bytes.subspan(size);
  }
}

std::string Trace::text(std::size_t lines_max) const {
  const std::uint64_t kept = std::min<std::uint64_t>({count_, ring_.size(), lines_max});
  std::string out;
  for (std::uint64_t i = count_ - kept; i < count_; ++i)
    out += ring_[i % ring_.size()].text() + "\n";
  return out;
}

}  // namespace ginnel::sim
