// A text of 100 kB crosses a wire that loses every fifth datagram and lets others overtake, and
// arrives whole. Time is virtual: it jumps to whatever happens next.
#include "proto/kcp/kcp.h"
#include "base/drain.h"
#include "base/rng.h"

#include <cstdio>
#include <map>

using namespace ginnel;

namespace {

// One direction: 20 to 40 ms of delay, a fifth is lost.
class Wire {
 public:
  explicit Wire(Rng rng) : rng_(std::move(rng)) {}

  // The Outbox of drain().
  Bytes slot() { return buffer_; }
  void commit(const Transmit& transmit) {
    ++sent;
    if (rng_.chance(0.2)) {
      ++lost;
    } else {
      const Instant at = now + rng_.between(20ms, 40ms);
      flying_.emplace(at, to_vector(Bytes(buffer_).first(transmit.size)));
    }
  }
  void deliver_to(kcp::Kcp& end) {
    while (!flying_.empty() && flying_.begin()->first <= now) {
      static_cast<void>(end.handle_segments(now, flying_.begin()->second));  // a Drop: ignored
      flying_.erase(flying_.begin());
    }
  }
  std::optional<Instant> next() const {
    return flying_.empty() ? std::nullopt : std::optional(flying_.begin()->first);
  }

  Instant now;
  int sent = 0;
  int lost = 0;

 private:
  Rng rng_;
  std::array<std::byte, 1500> buffer_{};
  std::multimap<Instant, ByteVector> flying_;
};

std::string read_all(kcp::Kcp& end) {
  std::string out;
  std::array<std::byte, 4096> piece;
  while (const auto size = end.read(piece)) out += text_of(ConstBytes(piece).first(*size));
  return out;
}

}  // namespace

int main() {
  kcp::Kcp alice({.conv = kcp::Conv(7)});  // the number of the conversation, agreed on elsewhere
  kcp::Kcp bob({.conv = kcp::Conv(7)});
  Wire to_bob(Rng::from_seed(1));
  Wire to_alice(Rng::from_seed(2));

  std::string text;
  for (int line = 1; text.size() < 100'000; ++line) text += "line " + std::to_string(line) + "\n";
  if (alice.send(bytes_of(text)).value() != text.size()) return 1;  // less: it would not fit now

  std::string arrived;
  std::optional<Instant> next = Instant{};
  while (next && arrived.size() < text.size()) {
    const Instant now = to_bob.now = to_alice.now = *next;
    to_bob.deliver_to(bob);
    to_alice.deliver_to(alice);
    for (kcp::Kcp* end : {&alice, &bob}) end->handle_timeout(now);
    arrived += read_all(bob);
    const auto ignore = [](kcp::Kcp::Event) {};
    next = earlier(drain(alice, now, to_bob, ignore), drain(bob, now, to_alice, ignore));
    next = earlier(next, earlier(to_bob.next(), to_alice.next()));
  }
  std::printf("%zu bytes in %d datagrams, of which %d were lost, after %.2f s\n", arrived.size(),
              to_bob.sent, to_bob.lost, static_cast<double>(to_bob.now.ns) / 1e9);
  return arrived == text && to_bob.lost > 0 ? 0 : 1;
}
