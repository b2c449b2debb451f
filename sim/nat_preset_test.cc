// Every preset, proven from inside by the classifier: the same table as for the kernel's NATs.
#include <gtest/gtest.h>

#include "sim/classifier.h"
#include "sim/places.h"

namespace ginnel::sim {
namespace {

Classifier::Result classify(NatKind kind, std::uint64_t seed = 11) {
  World world({.seed = seed});
  Places places(world);
  const auto server = world.add_machine("server", std::make_unique<ObservingServer>());
  places.put(server, places.add_site(NatKind::kOpen), {.addresses = 2});
  const auto addresses = world.machine(server).addresses();
  const auto client = world.add_machine(
      "client", std::make_unique<Classifier>(std::array{addresses[0], addresses[1]}));
  places.put(client, places.add_site(kind, {.wan = both({.delay = 20ms})}));
  world.start(server);
  world.start(client);
  world.run_for(Classifier::kTakes);
  return world.host<Classifier>(client).result();
}

struct Expected {
  NatKind kind;
  Mapping mapping;
  Filtering filtering;
  bool hairpin = false;
};
constexpr auto kNone = Mapping::kNone;
constexpr auto kEim = Mapping::kEndpointIndependent;
constexpr auto kApdm = Mapping::kAddressAndPortDependent;
constexpr auto kEif = Filtering::kEndpointIndependent;
constexpr auto kAdf = Filtering::kAddressDependent;
constexpr auto kApdf = Filtering::kAddressAndPortDependent;

class NatPreset : public testing::TestWithParam<Expected> {};

TEST_P(NatPreset, ClassifiesAsItsNameSays) {
  const Classifier::Result result = classify(GetParam().kind);
  ASSERT_TRUE(result.udp);
  EXPECT_EQ(result.mapping, GetParam().mapping);
  EXPECT_EQ(result.filtering, GetParam().filtering);
  EXPECT_EQ(result.hairpin, GetParam().hairpin);
}

INSTANTIATE_TEST_SUITE_P(All, NatPreset,
                         testing::Values(Expected{NatKind::kOpen, kNone, kEif},
                                         Expected{NatKind::kFirewall, kNone, kApdf},
                                         Expected{NatKind::kFullcone, kEim, kEif},
                                         Expected{NatKind::kRestricted, kEim, kAdf},
                                         Expected{NatKind::kPortrestricted, kEim, kApdf},
                                         Expected{NatKind::kLinuxclash, kEim, kApdf},
                                         Expected{NatKind::kSymmetric, kApdm, kApdf},
                                         Expected{NatKind::kSymseq, kApdm, kApdf},
                                         Expected{NatKind::kCgnat, kEim, kApdf},
                                         Expected{NatKind::kCgnatsym, kApdm, kApdf},
                                         Expected{NatKind::kSamelan, kEim, kApdf},
                                         Expected{NatKind::kSamelanhp, kEim, kEif, true},
                                         Expected{NatKind::kCgnatpair, kEim, kApdf}),
                         [](const auto& each) { return std::string(nat_name(each.param.kind)); });

TEST(NatPresets, UdpblockedLetsNothingThrough) { EXPECT_FALSE(classify(NatKind::kUdpblocked).udp); }

TEST(NatPresets, SymseqGivesPortsInSequence) {
  EXPECT_EQ(classify(NatKind::kSymseq).ports, (std::vector<std::uint16_t>{30'000, 30'001, 30'002}));
}

TEST(NatPresets, SymmetricGivesPortsThatTheSeedDecides) {
  EXPECT_EQ(classify(NatKind::kSymmetric, 1).ports, classify(NatKind::kSymmetric, 1).ports);
  EXPECT_NE(classify(NatKind::kSymmetric, 1).ports, classify(NatKind::kSymmetric, 2).ports);
}

TEST(NatPresets, NamesReadBackAsTheirKinds) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(NatKind::kCount); ++i) {
    const auto kind = static_cast<NatKind>(i);
    EXPECT_EQ(nat_kind(nat_name(kind)), kind);
  }
  EXPECT_EQ(nat_kind("cone"), std::nullopt);
}

}  // namespace
}  // namespace ginnel::sim
