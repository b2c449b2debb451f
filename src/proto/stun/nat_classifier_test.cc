#include "proto/stun/nat_classifier.h"

#include <gtest/gtest.h>

namespace ginnel::stun {
namespace {

const Endpoint kHubA = *Endpoint::parse("203.0.113.2:7700");
const Endpoint kHubAProbe = *Endpoint::parse("203.0.113.2:7701");
const Endpoint kHubB = *Endpoint::parse("203.0.113.3:7700");
const Address kOwn = *Address::parse("192.168.1.2");

NatClassifier behind_nat() {
  NatClassifier nat;
  nat.set_own({kOwn}, 4000);
  return nat;
}
Endpoint outside(std::uint16_t port) { return {*Address::parse("198.51.100.7"), port}; }

TEST(NatClassifier, KnowsNothingFromOneAnswer) {
  auto nat = behind_nat();
  nat.note_mapped(kHubA, outside(4000));
  EXPECT_EQ(nat.classify(), NatClass{});
}

TEST(NatClassifier, OwnAddressMeansNoTranslation) {
  NatClassifier nat;
  nat.set_own({outside(0).address}, 4000);
  nat.note_mapped(kHubA, outside(4000));
  EXPECT_EQ(nat.classify().mapping, Mapping::kNone);
}

TEST(NatClassifier, OneHubsTwoPortsTellEndpointIndependentMapping) {
  auto nat = behind_nat();
  nat.note_mapped(kHubA, outside(4164));
  nat.note_mapped(kHubAProbe, outside(4164));
  EXPECT_EQ(nat.classify().mapping, Mapping::kEim);
}

TEST(NatClassifier, OneHubsTwoPortsTellPortDependentMapping) {
  auto nat = behind_nat();
  nat.note_mapped(kHubA, outside(4164));
  nat.note_mapped(kHubAProbe, outside(4165));
  EXPECT_EQ(nat.classify().mapping, Mapping::kApdm);
}

TEST(NatClassifier, SecondHubTellsAddressDependentMapping) {
  auto nat = behind_nat();
  nat.note_mapped(kHubA, outside(4164));
  nat.note_mapped(kHubAProbe, outside(4164));
  nat.note_mapped(kHubB, outside(4999));
  EXPECT_EQ(nat.classify().mapping, Mapping::kAdm);
}

TEST(NatClassifier, WithoutSecondPortADifferenceIsTakenForTheWorst) {
  auto nat = behind_nat();
  nat.note_mapped(kHubA, outside(4164));
  nat.note_mapped(kHubB, outside(4999));
  EXPECT_EQ(nat.classify().mapping, Mapping::kApdm);
}

TEST(NatClassifier, DoesNotCompareFamilies) {
  auto nat = behind_nat();
  nat.note_mapped(kHubA, outside(4164));
  nat.note_mapped(*Endpoint::parse("[2001:db8::2]:7700"), *Endpoint::parse("[2001:db8::7]:4000"));
  EXPECT_EQ(nat.classify().mapping, Mapping::kUnknown);
}

TEST(NatClassifier, ChangedPortTellsPortDependentFiltering) {
  auto nat = behind_nat();
  nat.note_change_port(false);
  EXPECT_EQ(nat.classify().filtering, Filtering::kApdf);
}

TEST(NatClassifier, StrangersPacketTellsTheRestOfFiltering) {
  auto nat = behind_nat();
  nat.note_change_port(true);
  EXPECT_EQ(nat.classify().filtering, Filtering::kUnknown);
  nat.note_stranger(false);
  EXPECT_EQ(nat.classify().filtering, Filtering::kAdf);
  nat.note_stranger(true);
  EXPECT_EQ(nat.classify().filtering, Filtering::kEif);
}

TEST(NatClassifier, SilenceAfterAskingMeansUdpIsBlocked) {
  auto nat = behind_nat();
  EXPECT_FALSE(nat.udp_blocked());
  nat.note_asked(kHubA);
  EXPECT_TRUE(nat.udp_blocked());
  nat.note_mapped(kHubA, outside(4164));
  EXPECT_FALSE(nat.udp_blocked());
}

TEST(NatClassifier, KeepsItsAnswersBounded) {
  auto nat = behind_nat();
  for (std::uint16_t i = 1; i < 100; ++i) nat.note_mapped({kHubA.address, i}, outside(i));
  EXPECT_EQ(nat.mapped().size(), NatClassifier::kServersMax);
}

TEST(NatClassifier, ForgetsWhenTheNetworkChanged) {
  auto nat = behind_nat();
  nat.note_mapped(kHubA, outside(4164));
  nat.note_mapped(kHubAProbe, outside(4164));
  nat.note_change_port(false);
  nat.reset();
  EXPECT_EQ(nat.classify(), NatClass{});
}

}  // namespace
}  // namespace ginnel::stun
