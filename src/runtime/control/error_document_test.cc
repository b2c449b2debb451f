#include "runtime/control/error_document.h"

#include <gtest/gtest.h>

namespace ginnel::control_api {
namespace {

// docs/cli.md: {"v":1,"error":{"code","text","hint","exit"}}
TEST(ErrorDocument, HasTheKeysThatScriptsRead) {
  EXPECT_EQ(error_document({Errc::kUnknownPeer, "no peer \"x\"", "ginnel peers"}),
            R"({"v":1,"error":{"code":"E_UNKNOWN_PEER","text":"no peer \"x\"",)"
            R"("hint":"ginnel peers","exit":5}})");
}
TEST(ErrorDocument, EveryCodeReadsBack) {
  for (int i = 0; i <= static_cast<int>(Errc::kInternal); ++i) {
    const Error error{static_cast<Errc>(i), "t", "h"};
    const auto back = parse_error_document(error_document(error));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->code, error.code) << code_name(error.code);
    EXPECT_EQ(back->text, "t");
    EXPECT_EQ(back->hint, "h");
    EXPECT_GE(http_status(error.code), 400);
  }
}
TEST(ErrorDocument, ACodeOfALaterVersionKeepsItsName) {
  const auto error = parse_error_document(R"({"v":1,"error":{"code":"E_NEW","text":"t"}})");
  EXPECT_EQ(error->code, Errc::kInternal);
  EXPECT_EQ(error->text, "t (E_NEW)");
}
TEST(ErrorDocument, IsNotFoundWhereThereIsNone) {
  for (const char* text : {"", "{", "[]", "7", "{}", R"({"error":7})"})
    EXPECT_FALSE(parse_error_document(text)) << text;
}
TEST(ErrorDocument, TextsThatAreNoUtf8DoNotBreakIt) {
  EXPECT_TRUE(parse_error_document(error_document({Errc::kFile, "a\xff\xfe", ""})));
}

}  // namespace
}  // namespace ginnel::control_api
