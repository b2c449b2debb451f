#include "proto/swim/suspicion.h"

#include <algorithm>
#include <cmath>

namespace ginnel::swim {

// memberlist suspicion.go, remainingSuspicionTime: max - (max - min) ln(c + 1) / ln(k + 1), cut to
// whole milliseconds.
Nanoseconds suspicion_duration(const SuspicionOptions& options, std::size_t confirmed) {
  if (options.confirmations < 1) return options.min;
  const double part = std::log(static_cast<double>(confirmed) + 1) /
                      std::log(static_cast<double>(options.confirmations) + 1);
  const double max = std::chrono::duration<double>(options.max).count();
  const double min = std::chrono::duration<double>(options.min).count();
  const auto ms = static_cast<std::int64_t>(std::floor(1000 * (max - part * (max - min))));
  return std::max<Nanoseconds>(options.min, std::chrono::milliseconds(ms));
}

Suspicion::Suspicion(Instant now, const SuspicionOptions& options, std::string_view from)
    : start_(now), options_(options), accusers_{std::string(from)} {}

bool Suspicion::confirm(std::string_view from) {
  if (accusers_.size() > options_.confirmations) return false;
  if (std::ranges::find(accusers_, from) != accusers_.end()) return false;
  accusers_.emplace_back(from);
  return true;
}

Instant Suspicion::deadline() const {
  return start_ + suspicion_duration(options_, accusers_.size() - 1);
}

}  // namespace ginnel::swim
