#include "runtime/log.h"

#include <gtest/gtest.h>

namespace ginnel::runtime {
namespace {

TEST(Log, AJsonLineIsOneDocumentWhateverTheTextHolds) {
  EXPECT_EQ(json_log_line("2026-11-24T06:02:32.123Z", "warning", "a \"quoted\"\nline"),
            R"({"v":1,"time":"2026-11-24T06:02:32.123Z","level":"warning",)"
            R"("text":"a \"quoted\"\nline"})");
  EXPECT_NO_THROW(json_log_line("", "info", "\xff"));
}

}  // namespace
}  // namespace ginnel::runtime
