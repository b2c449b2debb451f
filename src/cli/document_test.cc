#include "cli/document.h"

#include <gtest/gtest.h>

namespace ginnel::cli {
namespace {

TEST(Document, WhatIsMissingOrOfAnotherTypeIsEmpty) {
  const Json json = parse_document(R"({"a":"x","n":1.5,"b":true,"o":{},"z":null})");
  EXPECT_EQ(text_at(json, "a"), "x");
  EXPECT_EQ(text_at(json, "n"), "");
  EXPECT_EQ(text_at(json, "none"), "");
  EXPECT_EQ(number_at(json, "n"), 1.5);
  EXPECT_EQ(number_at(json, "z"), std::nullopt);
  EXPECT_TRUE(flag_at(json, "b"));
  EXPECT_FALSE(flag_at(json, "a"));
  EXPECT_EQ(text_at(child(json, "none"), "deeper"), "");
  EXPECT_EQ(parse_document("nonsense"), Json::object());
  EXPECT_EQ(parse_document("[1]"), Json::object());
}
TEST(Document, DataThatIsNoTextTravelsAsBase64) {
  Json text, bytes;
  set_data(text, "grüß dich");
  set_data(bytes, std::string_view("\xff\x00x", 3));
  EXPECT_EQ(text_at(text, "data"), "grüß dich");
  EXPECT_EQ(text_at(bytes, "data_b64"), "/wB4");
  EXPECT_EQ(data_of(text), "grüß dich");
  EXPECT_EQ(data_of(bytes), std::string("\xff\x00x", 3));
}
TEST(Document, NamesBecomeOneSegmentOfAPath) {
  EXPECT_EQ(percent_encoded("bob-2"), "bob-2");
  EXPECT_EQ(percent_encoded("a/b c?"), "a%2Fb%20c%3F");
}

}  // namespace
}  // namespace ginnel::cli
