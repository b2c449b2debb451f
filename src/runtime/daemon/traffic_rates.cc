#include "runtime/daemon/traffic_rates.h"

namespace ginnel::runtime {
namespace {

// A counter that went back began anew with its session.
double bits_per_second(std::uint64_t before, std::uint64_t after, Nanoseconds span) {
  if (after < before || span <= 0s) return 0;
  return static_cast<double>(after - before) * 8 / std::chrono::duration<double>(span).count();
}

}  // namespace

void TrafficRates::sample(Instant now, const std::vector<PeerInfo>& peers) {
  std::map<Key, Row> rows;
  for (const PeerInfo& peer : peers) {
    Row row{.at = now, .rx_bytes = peer.rx_bytes, .tx_bytes = peer.tx_bytes};
    Key key{peer.id, peer.name};
    if (const auto it = rows_.find(key); it != rows_.end()) {
      const Row& before = it->second;
      row.rate = {.rx = bits_per_second(before.rx_bytes, row.rx_bytes, now - before.at),
                  .tx = bits_per_second(before.tx_bytes, row.tx_bytes, now - before.at)};
    }
    rows.emplace(std::move(key), row);
  }
  rows_ = std::move(rows);
}

TrafficRate TrafficRates::of(const PeerInfo& peer) const {
  const auto it = rows_.find({peer.id, peer.name});
  return it == rows_.end() ? TrafficRate{} : it->second.rate;
}

}  // namespace ginnel::runtime
