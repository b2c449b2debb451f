#include "node/gossip/own_tags.h"

#include <gtest/gtest.h>

namespace ginnel::node {
namespace {

using Tags = OwnTags::Tags;

OwnTags certified() {
  OwnTags out;
  out.set_certified(Role::kPeer, {{"os", "linux"}, {"site", "york"}});
  return out;
}

TEST(OwnTags, AreTheCertificatesAndTheRole) {
  EXPECT_EQ(certified().all(), (Tags{{"os", "linux"}, {"role", "peer"}, {"site", "york"}}));
  OwnTags hub;
  hub.set_certified(Role::kHub, {});
  EXPECT_EQ(hub.all(), (Tags{{"role", "hub"}}));
}

TEST(OwnTags, TheUsersChangesOutliveTheProcessAndAnotherCertificate) {
  OwnTags tags = certified();
  EXPECT_TRUE(tags.change({{"rack", "7"}, {"os", "bsd"}}, {"site"}));
  OwnTags after;
  after.set_certified(Role::kPeer, {{"os", "linux"}, {"site", "leeds"}, {"new", "yes"}});
  after.read(tags.write());
  EXPECT_EQ(after.all(), (Tags{{"new", "yes"}, {"os", "bsd"}, {"rack", "7"}, {"role", "peer"}}));
}

TEST(OwnTags, OneThatWasDeletedCanBeSetAgain) {
  OwnTags tags = certified();
  EXPECT_TRUE(tags.change({}, {"site"}));
  EXPECT_TRUE(tags.change({{"site", "hull"}}, {}));
  EXPECT_EQ(tags.all().at("site"), "hull");
}

TEST(OwnTags, NobodyChangesTheRole) {
  OwnTags tags = certified();
  EXPECT_FALSE(tags.change({{"role", "hub"}}, {}));
  EXPECT_FALSE(tags.change({{"a", "b"}}, {"role"}));
  EXPECT_EQ(tags.all(), certified().all());
}

TEST(OwnTags, EveryTruncatedStateIsReadWithoutHarm) {
  OwnTags tags = certified();
  EXPECT_TRUE(tags.change({{"rack", "7"}}, {"os"}));
  const ByteVector whole = tags.write();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    OwnTags read = certified();
    read.read(ConstBytes(whole).first(size));
    EXPECT_EQ(read.all().at("role"), "peer");
  }
}

}  // namespace
}  // namespace ginnel::node
