#include "proto/path/candidate.h"

#include <gtest/gtest.h>

namespace ginnel::path {
namespace {

CandidateFilter filter() {
  CandidateFilter out;
  out.set_local_subnets({*Prefix::parse("192.168.1.0/24")});
  out.set_overlay({*Prefix::parse("10.66.0.0/16"), *Prefix::parse("fd3a::/40")});
  out.set_own({{CandidateKind::kHost, *Endpoint::parse("192.168.1.2:7700")}});
  return out;
}

// Candidates as a hostile peer would list them.
TEST(CandidateFilter, RefusesAddressesThatNoPeerHas) {
  for (const char* text : {"0.0.0.0:7700",
                           "[::]:7700",
                           "0.1.2.3:7700",
                           "127.0.0.1:7700",
                           "[::1]:7700",
                           "169.254.169.254:80",
                           "[fe80::1]:7700",
                           "224.0.0.1:7700",
                           "[ff02::1]:7700",
                           "255.255.255.255:7700",
                           "240.0.0.1:7700",
                           "192.168.1.255:7700",
                           "192.168.1.2:7700",
                           "10.66.3.4:7700",
                           "[fd3a::7]:7700",
                           "[::c000:201]:7700",
                           "[64:ff9b::c000:201]:7700",
                           "198.51.100.7:0",
                           "198.51.100.7:53",
                           "198.51.100.7:25",
                           "198.51.100.7:123"}) {
    EXPECT_FALSE(filter().acceptable(*Endpoint::parse(text))) << text;
  }
}

TEST(CandidateFilter, AcceptsAddressesThatPeersHave) {
  for (const char* text : {"198.51.100.7:4164", "192.168.1.3:7700", "192.168.1.2:7701",
                           "10.0.0.255:7700", "100.64.1.2:443", "[2001:db8::1]:7700"}) {
    EXPECT_TRUE(filter().acceptable(*Endpoint::parse(text))) << text;
  }
}

TEST(CandidateFilter, AcceptsLoopbackWhereTheNodeIsBoundToIt) {
  CandidateFilter loopback;
  loopback.set_local_subnets({*Prefix::parse("127.0.0.0/8")});
  EXPECT_TRUE(loopback.acceptable(*Endpoint::parse("127.0.1.3:7700")));
}

TEST(CandidateFilter, KeepsEachEndpointOnceAndSixteenInAll) {
  std::vector<Candidate> offered;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    const auto port = static_cast<std::uint16_t>(7000 + i % 20);
    offered.push_back({i < 20 ? CandidateKind::kServerReflexive : CandidateKind::kPublic,
                       {Address::v4(198, 51, 100, 7), port}});
  }
  const auto kept = filter().accept(offered);
  ASSERT_EQ(kept.size(), kCandidatesMax);
  EXPECT_EQ(kept[0].kind, CandidateKind::kPublic);  // the kind that promises more
}

TEST(DirectKind, NamesTheWayAPathCameAbout) {
  const Endpoint far = *Endpoint::parse("198.51.100.7:4164");
  const Endpoint near = *Endpoint::parse("192.168.1.9:4164");
  EXPECT_EQ(direct_kind(CandidateKind::kServerReflexive, far, filter()), PathKind::kPunched);
  EXPECT_EQ(direct_kind(CandidateKind::kPeerReflexive, far, filter()), PathKind::kPunched);
  EXPECT_EQ(direct_kind(CandidateKind::kMapped, far, filter()), PathKind::kDirect);
  EXPECT_EQ(direct_kind(CandidateKind::kPublic, far, filter()), PathKind::kDirect);
  EXPECT_EQ(direct_kind(CandidateKind::kPeerReflexive, near, filter()), PathKind::kLan);
}

}  // namespace
}  // namespace ginnel::path
