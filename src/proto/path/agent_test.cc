#include "proto/path/agent.h"

#include <gtest/gtest.h>

#include "proto/path/testing/nat_world.h"

namespace ginnel::path {
namespace {

using namespace testing;

struct Kind {
  std::string name;
  std::vector<NatOptions> nats;
};
const std::vector<Kind> kKinds = {
    {"open", {}},
    {"firewall", {{.mapping = Mapping::kNone}}},
    {"fullcone", {{.filtering = Filtering::kEif}}},
    {"restricted", {{.filtering = Filtering::kAdf}}},
    {"portrestricted", {{}}},
    {"linuxclash", {{.clash = true}}},
    {"symmetric", {{.mapping = Mapping::kApdm}}},
    {"cgnat", {{}, {}}},
    {"cgnatsym", {{}, {.mapping = Mapping::kApdm}}},
};
bool is_symmetric(const Kind& k) { return k.name == "symmetric" || k.name == "cgnatsym"; }
// What no plain punching reaches, as measured with real NATs.
bool stays_relayed(const Kind& x, const Kind& y) {
  const auto strict = [](const Kind& k) {
    return k.name != "open" && k.name != "fullcone" && k.name != "restricted";
  };
  return (is_symmetric(x) && strict(y)) || (is_symmetric(y) && strict(x));
}

void settle_in(Site& site, const Kind& kind) {
  if (kind.nats.empty() || kind.nats[0].mapping == Mapping::kNone) {
    site.host.address = Address::v4(203, 0, 113, site.name == "a" ? 50 : 60);
    site.subnet = Prefix::host(site.host.address);
  }
  for (const NatOptions& nat : kind.nats) site.behind(nat);
}

class Matrix : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

// Direct within 2 R + r, here 250 ms, and 100 ms of priming and pacing.
TEST_P(Matrix, EasyPairsAreSoonDirectAndHopelessOnesStayCheap) {
  const Kind& x = kKinds[std::get<0>(GetParam())];
  const Kind& y = kKinds[std::get<1>(GetParam())];
  for (const Nanoseconds skew : {0ms, 1ms, 25ms, 200ms}) {
    SCOPED_TRACE(x.name + " x " + y.name + ", b " + std::to_string(skew.count() / 1000000) +
                 " ms later");
    World world;
    settle_in(world.a, x);
    settle_in(world.b, y);
    world.start(false);
    EXPECT_EQ(world.a.agent->kind(), PathKind::kRelayUdp);  // nothing waits
    world.run_for(skew);
    world.introduce(world.b);
    world.run_for(350ms - skew);
    if (!stays_relayed(x, y)) {
      EXPECT_TRUE(world.a.is_direct()) << world.a.name;
      EXPECT_TRUE(world.b.is_direct()) << world.b.name;
      continue;
    }
    world.talk(world.a, 500ms, 60s);
    EXPECT_EQ(world.a.agent->kind(), PathKind::kRelayUdp);
    EXPECT_LE(world.a.probes, 50u);
    EXPECT_LE(world.b.probes, 50u);
    EXPECT_TRUE(world.a.agent->reason() == Reason::kSymmetricNat ||
                world.a.agent->reason() == Reason::kSymmetricBoth)
        << reason_code(world.a.agent->reason());
  }
}
INSTANTIATE_TEST_SUITE_P(Nats, Matrix,
                         ::testing::Combine(::testing::Range<std::size_t>(0, 9),
                                            ::testing::Range<std::size_t>(0, 9)),
                         [](const auto& cell) {
                           return kKinds[std::get<0>(cell.param)].name + "_" +
                                  kKinds[std::get<1>(cell.param)].name;
                         });

}  // namespace
}  // namespace ginnel::path
