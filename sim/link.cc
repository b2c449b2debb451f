#include "sim/link.h"

#include <algorithm>

#include "base/assert.h"

namespace ginnel::sim {

Link::Link(const LinkConfig& config, Rng rng) : rng_(std::move(rng)) { set_config(config); }

void Link::set_config(const LinkConfig& config) {
  config_ = config;
  is_plain_ = config.jitter == 0ns && config.loss <= 0 && config.burst.enter <= 0 &&
              config.reorder <= 0 && config.duplicate <= 0 && config.corrupt <= 0 &&
              config.rate_bits == 0;
}

void Link::disturb(Instant now, const Disturbance& disturbance) {
  GINNEL_ASSERT(!disturbance.clogged || disturbance.until != kForever);
  forget_past(now);
  if (disturbances_.size() == kDisturbancesMax) {
    const auto by_end = [](const Disturbance& a, const Disturbance& b) {
      return a.until < b.until;
    };
    disturbances_.erase(std::ranges::min_element(disturbances_, by_end));
  }
  disturbances_.push_back(disturbance);
}

void Link::forget_past(Instant now) {
  std::erase_if(disturbances_, [now](const Disturbance& d) { return d.until <= now; });
}

std::size_t Link::mtu_bytes(Instant now) const { return effective(now).mtu_bytes; }

bool Link::is_down(Instant now) const {
  return std::ranges::any_of(disturbances_,
                             [now](const Disturbance& d) { return d.down && now < d.until; });
}

LinkConfig Link::effective(Instant now) const {
  LinkConfig out = config_;
  for (const Disturbance& d : disturbances_) {
    if (d.until <= now) continue;
    out.loss = 1 - (1 - out.loss) * (1 - d.loss);
    out.duplicate = std::max(out.duplicate, d.duplicate);
    out.corrupt = std::max(out.corrupt, d.corrupt);
    out.reorder = std::max(out.reorder, d.reorder);
    out.delay += d.delay;
    if (d.mtu_bytes != 0) out.mtu_bytes = std::min(out.mtu_bytes, d.mtu_bytes);
  }
  return out;
}

bool Link::loses(const LinkConfig& config) {
  if (config.burst.enter > 0) {
    in_burst_ = in_burst_ ? !rng_.chance(config.burst.leave) : rng_.chance(config.burst.enter);
    if (in_burst_) return rng_.chance(config.burst.loss);
  }
  return config.loss > 0 && rng_.chance(config.loss);
}

// When the packet's last bit leaves; nullopt: the queue is full. The queue is not kept as a list:
// what is in it at `now` follows from when the line will be free.
std::optional<Instant> Link::departure(Instant now, const LinkConfig& config,
                                       std::size_t ip_bytes) {
  Instant departs = now;
  if (config.rate_bits > 0) {
    constexpr double kNanosecondsPerSecond = 1e9;
    const double ns_per_byte = 8 * kNanosecondsPerSecond / static_cast<double>(config.rate_bits);
    const Instant starts = std::max(now, free_at_);
    const double waiting_bytes = static_cast<double>((starts - now).count()) / ns_per_byte;
    if (waiting_bytes + static_cast<double>(ip_bytes) > static_cast<double>(config.queue_bytes)) {
      return std::nullopt;
    }
    const double takes_ns = static_cast<double>(ip_bytes) * ns_per_byte;
    departs = free_at_ = starts + Nanoseconds{static_cast<std::int64_t>(takes_ns)};
  }
  for (const Disturbance& d : disturbances_) {
    if (d.clogged && now < d.until) departs = std::max(departs, d.until);
  }
  return departs;
}

Passage::Copy Link::arrival(Instant departs, const LinkConfig& config) {
  Instant at = departs + config.delay;
  if (config.jitter > 0ns) at = at + rng_.between(0ns, config.jitter);
  if (config.reorder > 0 && rng_.chance(config.reorder)) {
    at = at + config.reorder_delay;
  } else {
    at = last_arrival_ = std::max(at, last_arrival_);
  }
  return {at, config.corrupt > 0 && rng_.chance(config.corrupt)};
}

Passage Link::enter(Instant now, std::size_t ip_bytes) {
  Passage out;
  if (!disturbances_.empty()) forget_past(now);
  if (is_plain_ && disturbances_.empty()) {
    if (ip_bytes > config_.mtu_bytes) {
      out.reason = DropReason::kTooBig;
      return out;
    }
    last_arrival_ = std::max(now + config_.delay, last_arrival_);
    out.copies[0].at = last_arrival_;
    out.count = 1;
    return out;
  }
  const LinkConfig config = effective(now);
  const auto drop = [&out](DropReason reason) {
    out.reason = reason;
    return out;
  };
  if (is_down(now)) return drop(DropReason::kLinkDown);
  if (ip_bytes > config.mtu_bytes) return drop(DropReason::kTooBig);
  if (loses(config)) return drop(DropReason::kLoss);
  const auto departs = departure(now, config, ip_bytes);
  if (!departs) return drop(DropReason::kQueueFull);
  out.copies[out.count++] = arrival(*departs, config);
  if (config.duplicate > 0 && rng_.chance(config.duplicate)) {
    out.copies[out.count++] = arrival(*departs, config);
  }
  return out;
}

}  // namespace ginnel::sim
