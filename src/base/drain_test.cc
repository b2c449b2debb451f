#include "base/drain.h"

#include <array>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

namespace ginnel {
namespace {

// Answers each datagram with its own size and reports it.
class Counter {
 public:
  using Event = std::size_t;
  void handle_datagram(Instant, PathId, const Endpoint& from, std::span<std::byte> bytes) {
    out_.push_back(from);
    events_.push_back(bytes.size());
  }
  void handle_timeout(Instant) {}
  std::optional<Transmit> poll_transmit(Instant, std::span<std::byte> slot) {
    if (out_.empty()) return std::nullopt;
    slot[0] = std::byte{1};
    const Endpoint to = out_.front();
    out_.pop_front();
    return Transmit{.path = kSocket, .to = to, .source = {}, .size = 1};
  }
  std::optional<Event> poll_event() {
    if (events_.empty()) return std::nullopt;
    const auto event = events_.front();
    events_.pop_front();
    return event;
  }
  std::optional<Instant> next_timeout() const { return std::nullopt; }
  std::size_t waiting() const { return out_.size(); }

 private:
  std::deque<Endpoint> out_;
  std::deque<std::size_t> events_;
};
static_assert(ProtocolCore<Counter>);

struct SmallOutbox {
  std::size_t room;
  std::vector<Transmit> sent;
  std::array<std::byte, 8> buffer{};
  std::span<std::byte> slot() {
    return sent.size() < room ? std::span<std::byte>(buffer) : std::span<std::byte>{};
  }
  void commit(const Transmit& t) { sent.push_back(t); }
};
static_assert(Outbox<SmallOutbox>);

TEST(Drain, StopsWhenTheOutboxIsFullAndLosesNothing) {
  Counter core;
  std::array<std::byte, 3> bytes{};
  for (std::uint16_t port = 1; port <= 3; ++port) {
    core.handle_datagram({}, kSocket, Endpoint{{}, port}, bytes);
  }
  SmallOutbox outbox{.room = 2, .sent = {}};
  std::vector<std::size_t> events;
  drain(core, {}, outbox, [&](std::size_t e) { events.push_back(e); });
  EXPECT_EQ(outbox.sent.size(), 2u);
  EXPECT_EQ(core.waiting(), 1u);
  EXPECT_EQ(events.size(), 3u);
}

}  // namespace
}  // namespace ginnel
