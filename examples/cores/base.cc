// A protocol core of one's own, in the shape that all of Ginnel's have: a beacon says "I am here"
// each second, and tells whom it heard. It knows no clock and no socket, so this program lets ten
// seconds pass in no time, on a network that is an array.
#include "base/drain.h"
#include "base/reader.h"
#include "base/timers.h"
#include "base/writer.h"

#include <cstdio>

using namespace ginnel;

namespace {

class Beacon {
 public:
  struct Event {  // another beacon was heard
    Endpoint from;
    std::uint32_t number = 0;
  };

  explicit Beacon(const Endpoint& peer) : peer_(peer) { timers_.set(Timer::kBeat, Instant{}); }

  void handle_datagram(Instant, PathId, const Endpoint& from, Bytes datagram) {
    Reader r(datagram);
    const std::uint32_t number = r.u32be();
    if (r.finished()) heard_ = Event{from, number};  // anything else is no beacon
  }
  void handle_timeout(Instant now) {
    if (!timers_.take_expired(Timer::kBeat, now)) return;
    is_due_ = true;
    timers_.set(Timer::kBeat, now + 1s);
  }
  std::optional<Transmit> poll_transmit(Instant, Bytes slot) {
    if (!std::exchange(is_due_, false)) return std::nullopt;
    Writer w(slot);
    w.u32be(++sent_);
    return Transmit{.path = kSocket, .to = peer_, .size = w.size()};
  }
  std::optional<Event> poll_event() { return std::exchange(heard_, std::nullopt); }
  std::optional<Instant> next_timeout() const { return timers_.next(); }

 private:
  enum class Timer { kBeat, kCount };
  Endpoint peer_;
  Timers<Timer> timers_;
  std::uint32_t sent_ = 0;
  bool is_due_ = false;
  std::optional<Event> heard_;
};
static_assert(ProtocolCore<Beacon>);

struct Wire {  // where drain() puts datagrams: straight into the other beacon
  Beacon& to;
  Endpoint from;
  Instant now;
  std::array<std::byte, 1500> buffer{};
  Bytes slot() { return buffer; }
  void commit(const Transmit& t) {
    to.handle_datagram(now, t.path, from, Bytes(buffer).first(t.size));
  }
};

}  // namespace

int main() {
  const Endpoint at_a = *Endpoint::parse("192.0.2.1:7000");
  const Endpoint at_b = *Endpoint::parse("[2001:db8::2]:7000");
  Beacon a(at_b);
  Beacon b(at_a);
  int heard = 0;
  const auto print = [&](const Beacon::Event& event) {
    std::printf("beacon %u of %s\n", event.number, event.from.text().c_str());
    ++heard;
  };
  for (Instant now; now < Instant{} + 10s; now = *earlier(a.next_timeout(), b.next_timeout())) {
    a.handle_timeout(now);
    b.handle_timeout(now);
    Wire from_a{b, at_a, now};
    Wire from_b{a, at_b, now};
    drain(a, now, from_a, print);  // a's datagrams; what b heard of them comes out of b
    drain(b, now, from_b, print);
    drain(a, now, from_a, print);
  }
  return heard == 20 ? 0 : 1;
}
