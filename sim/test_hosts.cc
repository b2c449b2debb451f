#include "sim/test_hosts.h"

#include <algorithm>

#include "base/assert.h"
#include "base/timers.h"
#include "sim/machine.h"

namespace ginnel::sim {

void LetterHost::start(const Clock&, Machine& machine) {
  machine_ = &machine;
  GINNEL_ASSERT(machine.bind(kSocket, port_).has_value());
}

void LetterHost::drain(const Clock&, SendBatch& batch) {
  while (!outgoing_.empty()) {
    const Bytes slot = batch.slot();
    if (slot.empty()) return;
    const Letter& letter = outgoing_.front();
    std::ranges::copy(letter.bytes, slot.begin());
    batch.commit({.path = letter.path,
                  .to = letter.to,
                  .source = letter.source,
                  .size = letter.bytes.size(),
                  .ttl = letter.ttl});
    outgoing_.pop_front();
  }
}

void EchoHost::handle_datagram(const Clock&, const Arrival& arrival, Bytes bytes) {
  ++echoed_;
  send({.to = arrival.from,
        .bytes = to_vector(bytes),
        .path = arrival.path,
        .source = arrival.local.address});
}

void Pinger::start(const Clock& clock, Machine& machine) {
  ++starts_;
  LetterHost::start(clock, machine);
}

void Pinger::handle_datagram(const Clock& clock, const Arrival& arrival, Bytes bytes) {
  last_wall_ = clock.wall;
  received_.push_back({clock.now, arrival, to_vector(bytes)});
}

void Pinger::handle_timeout(const Clock& clock) {
  last_wall_ = clock.wall;
  for (Series& series : series_) {
    if (series.count == 0 || series.first > clock.now) continue;
    send(series.letter);
    --series.count;
    series.first = series.first + series.interval;
  }
  std::erase_if(series_, [](const Series& s) { return s.count == 0; });
}

std::optional<Instant> Pinger::next_timeout() const {
  std::optional<Instant> out;
  for (const Series& series : series_) out = earlier(out, series.first);
  return out;
}

void Pinger::crash() {
  LetterHost::crash();
  received_.clear();
  too_big_.clear();
}

}  // namespace ginnel::sim
