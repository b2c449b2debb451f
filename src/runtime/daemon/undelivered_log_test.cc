#include "runtime/daemon/undelivered_log.h"

#include <gtest/gtest.h>

namespace ginnel::runtime {
namespace {

const Instant kNow{1'000'000'000'000};

node::Undelivered lost(bool sent) {
  return {{}, "C-1", "chat", {}, sent, {Errc::kUnreachable, "bob restarted", ""}};
}

TEST(UndeliveredLog, TheFirstMessageIsToldAtOnceWithItsReason) {
  UndeliveredLog log;
  EXPECT_EQ(log.line(kNow, "bob", lost(true)),
            "a message to bob may not have arrived: bob restarted [E_UNREACHABLE]; channel chat");
  EXPECT_EQ(log.line(kNow, "", lost(false)),
            "a message to C-1 was not sent: bob restarted [E_UNREACHABLE]; channel chat");
}

TEST(UndeliveredLog, ThoseThatFollowMakeOneLineThatCountsThem) {
  UndeliveredLog log;
  (void)log.line(kNow, "bob", lost(true));
  for (int i = 0; i < 500; ++i) EXPECT_FALSE(log.line(kNow + 1s, "bob", lost(true)));
  EXPECT_TRUE(log.line(kNow + 1s, "carol", lost(true)));
  EXPECT_EQ(log.line(kNow + 10s, "bob", lost(true)),
            "501 messages to bob may not have arrived (the last one): bob restarted "
            "[E_UNREACHABLE]; channel chat");
}

}  // namespace
}  // namespace ginnel::runtime
