#include "runtime/forwarding/control_queue.h"

#include <gtest/gtest.h>

namespace ginnel::forwarding {
namespace {

constexpr std::size_t kPlaces = 64;

bool push(ControlQueue& queue, ControlItem::Kind kind) {
  ControlItem item;
  item.kind = kind;
  return queue.push(item, {});
}
std::size_t fill(ControlQueue& queue, ControlItem::Kind kind) {
  std::size_t pushed = 0;
  while (push(queue, kind)) ++pushed;
  return pushed;
}

TEST(ControlQueue, AFloodOfHandshakesLeavesRoomForWhatIsAuthenticated) {
  for (const auto kind : {ControlItem::Kind::kDatagram, ControlItem::Kind::kUnknownIndex}) {
    const auto wakeup = io::Wakeup::make().value();
    ControlQueue queue(kPlaces, wakeup);
    EXPECT_EQ(fill(queue, kind), kPlaces * 3 / 4);
    EXPECT_EQ(queue.dropped(), 1u);
    EXPECT_EQ(fill(queue, ControlItem::Kind::kFacts), kPlaces / 4);
  }
}

TEST(ControlQueue, WhatIsAuthenticatedMayTakeEveryPlace) {
  const auto wakeup = io::Wakeup::make().value();
  ControlQueue queue(kPlaces, wakeup);
  EXPECT_EQ(fill(queue, ControlItem::Kind::kFrames), kPlaces);
}

}  // namespace
}  // namespace ginnel::forwarding
