#include "runtime/names/name_table.h"

#include <gtest/gtest.h>

namespace ginnel::runtime {
namespace {

dns::Answer look_up(std::string name) {
  NameTable names("Home");
  names.set({{"Bob", {Address::v4(10, 66, 0, 3)}}});
  dns::Query query;
  query.name = std::move(name);
  query.type = 1;
  return names.look_up(query);
}

TEST(NameTable, GivesTheAddressesOfANameOfTheNetwork) {
  const auto answer = look_up("bob.home.ginnel.internal");
  EXPECT_EQ(answer.rcode, dns::Rcode::kNone);
  EXPECT_EQ(answer.addresses, std::vector{Address::v4(10, 66, 0, 3)});
  EXPECT_EQ(answer.ttl_seconds, kNameTtlSeconds);
}

TEST(NameTable, ANameThatNobodyHasDoesNotExist) {
  EXPECT_EQ(look_up("carol.home.ginnel.internal").rcode, dns::Rcode::kNoName);
  EXPECT_EQ(look_up("www.bob.home.ginnel.internal").rcode, dns::Rcode::kNoName);
}

// RFC 8020: a name with names below it exists.
TEST(NameTable, TheDomainItselfExistsWithoutAnAddress) {
  const auto answer = look_up("home.ginnel.internal");
  EXPECT_EQ(answer.rcode, dns::Rcode::kNone);
  EXPECT_TRUE(answer.addresses.empty());
}

TEST(NameTable, OtherDomainsAreForOtherServers) {
  for (const char* name : {"example.net", "bob", "", "ginnel.internal",
                           "bob.nothome.ginnel.internal", "evilhome.ginnel.internal"}) {
    EXPECT_EQ(look_up(name).rcode, dns::Rcode::kRefused) << name;
  }
}

}  // namespace
}  // namespace ginnel::runtime
