#include "runtime/forwarding/control_queue.h"

#include <gtest/gtest.h>

namespace ginnel::forwarding {
namespace {

constexpr std::size_t kPlaces = 64;

using Told = forward::ToControl::Kind;

bool push(ControlQueue& queue, Told kind) {
  ControlItem item;
  item.told.kind = kind;
  return queue.push(item, {});
}
std::size_t fill(ControlQueue& queue, Told kind) {
  std::size_t pushed = 0;
  while (push(queue, kind)) ++pushed;
  return pushed;
}

TEST(ControlQueue, AFloodOfHandshakesLeavesRoomForWhatIsAuthenticated) {
  for (const auto kind : {Told::kDatagram, Told::kUnknownIndex}) {
    const auto wakeup = io::Wakeup::make().value();
    ControlQueue queue(kPlaces, wakeup);
    EXPECT_EQ(fill(queue, kind), kPlaces * 3 / 4);
    EXPECT_EQ(queue.dropped(), 1u);
    EXPECT_EQ(fill(queue, Told::kFacts), kPlaces / 4);
  }
}

TEST(ControlQueue, WhatIsAuthenticatedMayTakeEveryPlace) {
  const auto wakeup = io::Wakeup::make().value();
  ControlQueue queue(kPlaces, wakeup);
  EXPECT_EQ(fill(queue, Told::kFrames), kPlaces);
}

}  // namespace
}  // namespace ginnel::forwarding
