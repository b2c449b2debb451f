#include <map>

#include "base/assert.h"
#include "proto/path/agent.h"

namespace {
using namespace ginnel;

template <class Body>
void round_trip(ConstBytes input) {
  const auto body = Body::parse(input);
  if (!body) return;
  ByteVector out(input.size());
  const std::size_t size = body->write(out);
  GINNEL_ASSERT(equal(ConstBytes(out).first(size), input));
}

const Endpoint kHub{Address::v4(203, 0, 113, 2), 7700};
constexpr PathId kRelay{1};

// Feeds the input to an agent as frames of its peer, over a relay and from changing addresses, with
// time passing; it must stay bounded and silent toward addresses that never answer.
void feed(ConstBytes input) {
  path::ProbeBudget budget({});
  path::Agent agent({}, {}, budget, Rng::from_seed(1));
  agent.set_relays({}, {{.path = kRelay, .endpoint = kHub}});
  Instant now;
  std::map<Address, std::size_t> probes;
  ByteVector slot(1500);
  while (input.size() >= 3) {
    const auto control = std::to_integer<std::uint8_t>(input[0]);
    const std::size_t size =
        std::min<std::size_t>(std::to_integer<std::size_t>(input[1]), input.size() - 3);
    const ConstBytes body = input.subspan(3, size);
    const bool relayed = (control & 0x40) != 0;
    const Endpoint from = relayed ? kHub : Endpoint{Address::v4(198, 51, 100, control & 15), 4000};
    const PathId path = relayed ? kRelay : kSocket;
    now = now + 1ms * std::to_integer<int>(input[2]);
    if ((control & 0x30) == 0x00) (void)agent.handle_call_me_maybe(now, body);
    if ((control & 0x30) == 0x10) (void)agent.handle_probe(now, path, from, body, size);
    if ((control & 0x30) == 0x20) (void)agent.handle_probe_answer(now, path, from, body);
    if ((control & 0x30) == 0x30) agent.want_direct(now);
    const auto due = agent.next_timeout();
    if (due && *due <= now) agent.handle_timeout(now);
    while (const auto t = agent.poll_transmit(now, slot)) {
      GINNEL_ASSERT(t->size <= slot.size());
      if (t->path == kSocket && slot[0] == std::byte{0x21}) ++probes[t->to.address];
    }
    while (agent.poll_event()) {
    }
    input = input.subspan(3 + size);
  }
  GINNEL_ASSERT(agent.attempts().size() <= path::Agent::kPairsMax + 1);
  // Nobody knows our transactions, so no probe was answered and every address keeps its cap.
  if (now >= Instant{} + path::ProbeBudget::kWindow) return;
  for (const auto& [address, count] : probes) {
    GINNEL_ASSERT(count <= path::ProbeBudget::kPerSilentAddress);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  round_trip<path::CallMeMaybe>(input);
  round_trip<path::Probe>(input);
  round_trip<path::ProbeAnswer>(input);
  feed(input);
  return 0;
}
