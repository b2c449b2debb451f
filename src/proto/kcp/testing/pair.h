// Two conversations back to back over links that lose, double and reorder, in virtual time that
// jumps to whatever happens next. For tests and fuzzers.
//
//   Pair pair(config, config, {.loss = 0.1}, {}, seed);
//   pair.on_turn = [&] { ... pair.a.send(...); pair.b.read(...); };
//   EXPECT_TRUE(pair.run(60s, [&] { return done; }));
#pragma once
#include <array>
#include <functional>
#include <map>
#include <vector>

#include "base/drain.h"
#include "base/rng.h"
#include "proto/kcp/kcp.h"

namespace ginnel::kcp::testing {

struct Link {
  Nanoseconds delay = 20ms;
  Nanoseconds jitter{0};  // each datagram waits up to this much more: they overtake each other
  double loss = 0;
  double duplicate = 0;
};

class Pair {
 public:
  Pair(const Config& config_a, const Config& config_b, Link a_to_b, Link b_to_a,
       std::uint64_t seed = 1)
      : a(config_a), b(config_b), links_{a_to_b, b_to_a}, rng_(Rng::from_seed(seed)) {}

  // Turns until `done` or until nothing happens for the rest of `limit`. False: not done.
  bool run(Nanoseconds limit, const std::function<bool()>& done) {
    const Instant end = now + limit;
    for (;;) {
      if (on_turn) on_turn();
      const auto next = turn();
      if (done()) return true;
      if (!next || *next > end) break;
      now = std::max(now, *next);
      deliver();
    }
    now = end;
    return false;
  }

  Kcp a;
  Kcp b;
  Instant now;
  std::function<void()> on_turn;                          // the application
  std::function<bool(const Kcp& from, ConstBytes)> lose;  // true: this one is lost
  std::function<void(const Kcp& who, Kcp::Event)> on_event;
  std::uint64_t datagrams = 0;  // put on a link, lost ones included

 private:
  struct Flight {
    Kcp* to;
    ByteVector bytes;
  };
  struct Wire {
    Pair& pair;
    Kcp& from;
    std::array<std::byte, 2000> buffer{};
    Bytes slot() { return Bytes(buffer).first(from.datagram_bytes_max()); }
    void commit(const Transmit& transmit) {
      pair.put(from, ConstBytes(buffer).first(transmit.size));
    }
  };

  std::optional<Instant> turn() {
    std::optional<Instant> next;
    for (Kcp* end : {&a, &b}) {
      if (const auto at = end->next_timeout(); at && *at <= now) end->handle_timeout(now);
      Wire wire{*this, *end};
      next = earlier(next, drain(*end, now, wire, [&](Kcp::Event event) {
                       if (on_event) on_event(*end, event);
                     }));
    }
    if (!flights_.empty()) next = earlier(next, flights_.begin()->first);
    return next;
  }
  void put(Kcp& from, ConstBytes bytes) {
    ++datagrams;
    const Link& link = links_[&from == &a ? 0 : 1];
    if ((lose && lose(from, bytes)) || rng_.chance(link.loss)) return;
    for (int copies = rng_.chance(link.duplicate) ? 2 : 1; copies > 0; --copies) {
      const Instant at = now + link.delay + rng_.between(Nanoseconds(0), link.jitter);
      flights_.emplace(at, Flight{&from == &a ? &b : &a, to_vector(bytes)});
    }
  }
  void deliver() {
    while (!flights_.empty() && flights_.begin()->first <= now) {
      const Flight flight = std::move(flights_.begin()->second);
      flights_.erase(flights_.begin());
      static_cast<void>(flight.to->handle_segments(now, flight.bytes));
    }
  }

  std::array<Link, 2> links_;
  Rng rng_;
  std::multimap<Instant, Flight> flights_;
};

}  // namespace ginnel::kcp::testing
