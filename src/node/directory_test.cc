#include "node/directory.h"

#include <gtest/gtest.h>

namespace ginnel::node {
namespace {

PeerRecord record(std::uint8_t n, std::string name) {
  PeerRecord out;
  out.id = Id(Role::kPeer, {n});
  out.name = std::move(name);
  out.addresses = {Address::v4(10, 66, 0, n)};
  out.session_key.writable()[0] = std::byte{n};
  return out;
}
const Id kHubA(Role::kHub, {200});
const Id kHubB(Role::kHub, {201});

TEST(Directory, FindsAPeerByIdNameAddressAndKey) {
  Directory directory;
  ASSERT_TRUE(directory.set_record(record(3, "bob")));
  const Id bob(Role::kPeer, {3});
  EXPECT_EQ(directory.find_name("bob")->record.id, bob);
  EXPECT_EQ(directory.find_name("bob.home.ginnel.internal")->record.id, bob);
  EXPECT_EQ(directory.find_name(bob.text())->record.id, bob);
  EXPECT_EQ(directory.find_address(Address::v4(10, 66, 0, 3))->record.id, bob);
  EXPECT_EQ(directory.find_session_key(record(3, "").session_key)->record.id, bob);
  EXPECT_EQ(directory.find_name("carol"), nullptr);
}

// docs/design.md section 4: an ambiguous name fails.
TEST(Directory, ANameOfTwoPeersFindsNobody) {
  Directory directory;
  directory.set_record(record(3, "bob"));
  directory.set_record(record(4, "bob"));
  EXPECT_EQ(directory.find_name("bob"), nullptr);
  EXPECT_TRUE(directory.is_ambiguous("bob"));
  directory.forget(Id(Role::kPeer, {4}));
  EXPECT_EQ(directory.find_name("bob")->record.id, Id(Role::kPeer, {3}));
}

// docs/design.md section 8: E is the union over hubs.
TEST(Directory, IsTheUnionOverHubs) {
  Directory directory;
  const Id bob(Role::kPeer, {3});
  directory.set_record(record(3, "bob"));
  directory.set_row(kHubA, bob, {.relay_index = 1, .online = true});
  directory.set_row(kHubB, bob, {.relay_index = 9, .online = true});
  directory.remove_hub(kHubA);
  EXPECT_TRUE(directory.find(bob)->is_online());
  directory.remove_row(kHubB, bob);
  EXPECT_FALSE(directory.find(bob)->is_online());
}

TEST(Directory, ANewRecordReplacesTheOldKeysAndNames) {
  Directory directory;
  directory.set_record(record(3, "bob"));
  PeerRecord renewed = record(3, "robert");
  renewed.session_key.writable()[0] = std::byte{77};
  directory.set_record(renewed);
  EXPECT_EQ(directory.find_name("bob"), nullptr);
  EXPECT_EQ(directory.find_session_key(record(3, "").session_key), nullptr);
  EXPECT_EQ(directory.find_session_key(renewed.session_key)->record.name, "robert");
}

}  // namespace
}  // namespace ginnel::node
