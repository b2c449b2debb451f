// Two agents behind firewalls that let nobody in who was not called first. Their packets take the
// relay at once; meanwhile they punch, and then go straight.
#include "base/drain.h"
#include "base/reader.h"
#include "proto/path/agent.h"

#include <cstdio>
#include <map>
#include <set>

using namespace ginnel;
using namespace ginnel::path;

namespace {

constexpr PathId kRelay{1};
const Endpoint kHub = *Endpoint::parse("203.0.113.2:7700");

struct Site {
  Site(std::string_view name_, std::string_view at_, std::uint64_t seed)
      : name(name_),
        at(*Endpoint::parse(at_)),
        agent(Instant{}, {}, budget, Rng::from_seed(seed)) {}
  std::string name;
  Endpoint at;
  std::set<Endpoint> called;  // by us: whom the firewall lets in
  ProbeBudget budget{{}};
  Agent agent;
};

struct Flight {
  Site* to;
  PathId path;
  Endpoint from;
  ByteVector frame;
};
using Sky = std::multimap<Instant, Flight>;

// The Outbox of drain(). In earnest the frame is sealed into the session of the two nodes; here it
// flies open: 50 ms by the relay, 25 ms straight.
struct Wire {
  Site& from;
  Site& to;
  Instant now;
  Sky& sky;
  std::array<std::byte, 2000> buffer{};
  Bytes slot() { return buffer; }
  void commit(const Transmit& t) {
    const bool is_direct = t.path == kSocket;
    if (is_direct) from.called.insert(t.to);
    if (t.ttl != 0)
      return;  // dies behind our own firewall, which is open now: that was its purpose
    sky.emplace(now + (is_direct ? 25ms : 50ms), Flight{&to, t.path, is_direct ? from.at : kHub,
                                                        to_vector(Bytes(buffer).first(t.size))});
  }
};

void arrive(Instant now, const Flight& flight) {
  Site& site = *flight.to;
  if (flight.path == kSocket && !site.called.contains(flight.from)) return;  // the firewall
  Reader r(flight.frame);
  const auto type = static_cast<FrameType>(r.u8());
  const ConstBytes body = r.take(r.u16le());
  site.agent.handle_authenticated(now, flight.path, flight.from);
  Result<void, Drop> taken;  // a Drop: the frame was none
  if (type == FrameType::kCallMeMaybe) taken = site.agent.handle_call_me_maybe(now, body);
  if (type == FrameType::kProbe) {
    taken = site.agent.handle_probe(now, flight.path, flight.from, body, flight.frame.size());
  }
  if (type == FrameType::kProbeAnswer) {
    taken = site.agent.handle_probe_answer(now, flight.path, flight.from, body);
  }
}

}  // namespace

int main() {
  Site a("a", "192.0.2.1:7700", 1);
  Site b("b", "198.51.100.1:7700", 2);
  Sky sky;
  for (Site* site : {&a, &b}) {  // what hubs and STUN tell; `b` has no traffic of its own
    const Endpoint& other = (site == &a ? b : a).at;
    site->agent.set_local_candidates({}, {{CandidateKind::kServerReflexive, site->at}}, {});
    site->agent.set_remote_candidates({}, {{CandidateKind::kServerReflexive, other}});
    site->agent.set_relays({}, {{.path = kRelay, .endpoint = kHub}});
  }
  a.agent.want_direct({});

  for (std::optional<Instant> next = Instant{}; next && *next < Instant{} + 2s;) {
    const Instant now = *next;
    while (!sky.empty() && sky.begin()->first <= now) {
      arrive(now, sky.extract(sky.begin()).mapped());
    }
    next = std::nullopt;
    for (Site* site : {&a, &b}) {
      site->agent.handle_timeout(now);
      Wire wire{*site, site == &a ? b : a, now, sky};
      next = earlier(next, drain(site->agent, now, wire, [&](const Agent::Event& event) {
                       const auto* selected = std::get_if<PathSelected>(&event);
                       if (selected == nullptr) return;
                       std::printf("%4.0f ms  %s sends by %s, %s\n",
                                   static_cast<double>(now.ns) / 1e6, site->name.c_str(),
                                   std::string(path_kind_name(selected->now.kind)).c_str(),
                                   selected->now.endpoint.text().c_str());
                     }));
    }
    if (!sky.empty()) next = earlier(next, sky.begin()->first);
  }
  const bool both = a.agent.kind() == PathKind::kPunched && b.agent.kind() == PathKind::kPunched;
  return both && a.agent.selected()->endpoint == b.at ? 0 : 1;
}
