#include "runtime/config/edit.h"

#include <gtest/gtest.h>

namespace ginnel::config {
namespace {

TEST(SetKey, ReplacesAValueAndKeepsEveryOtherByte) {
  EXPECT_EQ(set_key("# mine\n[tun]\nmtu = 1300   # why\n\n[log]\n", "tun.mtu", "1280"),
            "# mine\n[tun]\nmtu = 1280   # why\n\n[log]\n");
}
TEST(SetKey, ReplacesTextsAndLists) {
  EXPECT_EQ(set_key("[node]\nname='a'#c\n", "node.name", "\"b\""), "[node]\nname=\"b\"#c\n");
  EXPECT_EQ(set_key("[network]\nhubs = [ # two\n \"a:1\", # first\n \"b:1\" ]\n[tun]\n",
                    "network.hubs", "[\"c:1\"]"),
            "[network]\nhubs = [\"c:1\"]\n[tun]\n");
  EXPECT_EQ(set_key("[punch]\nenable = true", "punch.enable", "false"), "[punch]\nenable = false");
}
TEST(SetKey, CountsColumnsInCharacters) {
  EXPECT_EQ(set_key("tun = { \"é\" = \"ü\", mtu = 1300 } # ö\n", "tun.mtu", "1280"),
            "tun = { \"é\" = \"ü\", mtu = 1280 } # ö\n");
}
TEST(SetKey, AddsAKeyAfterTheLastOfItsSection) {
  EXPECT_EQ(set_key("[tun]\nmtu = 1300\n# about log\n[log]\n", "tun.enable", "\"no\""),
            "[tun]\nmtu = 1300\nenable = \"no\"\n# about log\n[log]\n");
  EXPECT_EQ(set_key("[ tun ] # empty\n[log]\n", "tun.enable", "\"no\""),
            "[ tun ] # empty\nenable = \"no\"\n[log]\n");
  EXPECT_EQ(set_key("[tun]\nmtu = 1300", "tun.enable", "\"no\""),
            "[tun]\nmtu = 1300\nenable = \"no\"\n");
}
TEST(SetKey, AddsASectionAtTheEnd) {
  EXPECT_EQ(set_key("", "tun.mtu", "1280"), "[tun]\nmtu = 1280\n");
  EXPECT_EQ(set_key("# only a comment", "tun.mtu", "1280"),
            "# only a comment\n\n[tun]\nmtu = 1280\n");
}
TEST(SetKey, EditsDottedKeys) {
  EXPECT_EQ(set_key("tun.mtu = 1300\n", "tun.mtu", "1280"), "tun.mtu = 1280\n");
}
constexpr std::string_view kPhoneSection =
    "[[wireguard.peer]]\nname = \"phone\"\n"
    "public_key = \"B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\"\n"
    "allowed_ips = [\"10.66.9.1/32\", \"fd00::1/128\"]\n";

WireguardPeer phone() {
  WireguardPeer out;
  out.name = "phone";
  out.public_key =
      *crypto::SessionPublic::from_base64("B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=");
  out.allowed_ips = {*Prefix::parse("10.66.9.1"), *Prefix::parse("fd00::1")};
  return out;
}

TEST(AddWireguardPeer, AddsASectionAndKeepsEveryOtherByte) {
  EXPECT_EQ(add_wireguard_peer("", phone()), kPhoneSection);
  EXPECT_EQ(add_wireguard_peer("# mine\n[tun]\nmtu = 1300 # why", phone()),
            "# mine\n[tun]\nmtu = 1300 # why\n\n" + std::string(kPhoneSection));
}
TEST(AddWireguardPeer, RefusesWhatWouldNotReadBack) {
  EXPECT_EQ(add_wireguard_peer("not toml", phone()), std::nullopt);
  EXPECT_EQ(add_wireguard_peer("[tun]\nmtu = 1\n", phone()), std::nullopt);
  EXPECT_EQ(add_wireguard_peer(kPhoneSection, phone()), std::nullopt) << "twice";
  EXPECT_EQ(add_wireguard_peer("wireguard = { peer = [] }\n", phone()), std::nullopt);
}
TEST(SetKey, RefusesWhatItCannotEdit) {
  EXPECT_EQ(set_key("not toml", "tun.mtu", "1280"), std::nullopt);
  EXPECT_EQ(set_key("tun = { mtu = 1300 }\n", "tun.enable", "\"no\""), std::nullopt);
}

}  // namespace
}  // namespace ginnel::config
