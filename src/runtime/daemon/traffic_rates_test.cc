#include "runtime/daemon/traffic_rates.h"

#include <gtest/gtest.h>

namespace ginnel::runtime {
namespace {

PeerInfo peer(std::string name, std::uint64_t rx, std::uint64_t tx) {
  PeerInfo out;
  out.name = std::move(name);
  out.rx_bytes = rx;
  out.tx_bytes = tx;
  return out;
}

// docs/cli.md: "rates in bits per second".
TEST(TrafficRates, AreWhatMovedBetweenTheLastTwoSamples) {
  TrafficRates rates;
  rates.sample(Instant{0}, {peer("phone", 1000, 0), peer("tablet", 0, 50)});
  EXPECT_EQ(rates.of(peer("phone", 0, 0)).rx, 0);
  rates.sample(Instant{0} + 2s, {peer("phone", 3000, 500), peer("tablet", 0, 50)});
  EXPECT_EQ(rates.of(peer("phone", 0, 0)).rx, 8000);
  EXPECT_EQ(rates.of(peer("phone", 0, 0)).tx, 2000);
  EXPECT_EQ(rates.of(peer("tablet", 0, 0)).tx, 0);
}

TEST(TrafficRates, ACounterThatBeganAnewIsNoRate) {
  TrafficRates rates;
  rates.sample(Instant{0}, {peer("phone", 1000, 1000)});
  rates.sample(Instant{0} + 1s, {peer("phone", 10, 2000)});
  EXPECT_EQ(rates.of(peer("phone", 0, 0)).rx, 0);
  EXPECT_EQ(rates.of(peer("phone", 0, 0)).tx, 8000);
}

TEST(TrafficRates, APeerThatWentIsForgotten) {
  TrafficRates rates;
  rates.sample(Instant{0}, {peer("phone", 0, 0)});
  rates.sample(Instant{0} + 1s, {});
  rates.sample(Instant{0} + 2s, {peer("phone", 1000, 0)});
  EXPECT_EQ(rates.of(peer("phone", 0, 0)).rx, 0);
}

}  // namespace
}  // namespace ginnel::runtime
