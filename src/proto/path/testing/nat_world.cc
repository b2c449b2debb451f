#include "proto/path/testing/nat_world.h"

#include <algorithm>

#include "base/assert.h"
#include "base/reader.h"

namespace ginnel::path::testing {

Nat::Key Nat::key_of(const Endpoint& inside, const Endpoint& to) const {
  switch (options_.mapping) {
    case Mapping::kAdm:
      return {inside, {to.address, 0}};
    case Mapping::kApdm:
      return {inside, to};
    default:
      return {inside, {}};
  }
}

std::uint16_t Nat::free_port(std::uint16_t wanted) {
  const bool symmetric = stun::is_symmetric(options_.mapping);
  if (!symmetric && !owners_.contains(wanted)) return wanted;
  while (owners_.contains(next_port_)) next_port_ = static_cast<std::uint16_t>(next_port_ + 7);
  return next_port_;
}

Endpoint Nat::translate_out(const Endpoint& inside, const Endpoint& to) {
  Key key = key_of(inside, to);
  const bool port_kept = !mappings_.contains(key) || mappings_[key] == inside.port;
  if (port_kept && occupied_.contains({inside.port, to})) key.second = to;  // this flow only
  if (!mappings_.contains(key)) {
    const bool clashes = occupied_.contains({inside.port, to});
    if (clashes) owners_.try_emplace(inside.port, inside);
    const std::uint16_t port = free_port(inside.port);
    mappings_[key] = port;
    owners_[port] = inside;
  }
  const std::uint16_t port = mappings_[key];
  sent_.insert({port, to});
  const bool translates = options_.mapping != Mapping::kNone;
  return translates ? Endpoint{outside_, port} : inside;
}

std::optional<Endpoint> Nat::translate_in(const Endpoint& from, const Endpoint& to) {
  const auto owner = owners_.find(to.port);
  const bool open =
      owner != owners_.end() &&
      (options_.filtering == Filtering::kEif || sent_.contains({to.port, from}) ||
       (options_.filtering == Filtering::kAdf && std::ranges::any_of(sent_, [&](const auto& s) {
          return s.first == to.port && s.second.address == from.address;
        })));
  if (!open) {
    if (options_.clash) occupied_.insert({to.port, from});
    return std::nullopt;
  }
  return options_.mapping == Mapping::kNone ? to : owner->second;
}

void Site::behind(const NatOptions& options) {
  const auto third = static_cast<std::uint8_t>((name == "a" ? 10 : 20) + nats.size());
  const Address outside = options.mapping == Mapping::kNone && nats.empty()
                              ? host.address
                              : Address::v4(198, 51, 100, third);
  nats.push_back(std::make_shared<Nat>(outside, options));
  nat_class.mapping = std::max(nat_class.mapping, options.mapping);
  nat_class.filtering = std::max(nat_class.filtering, options.filtering);
}

World::World() {
  a.host = {Address::v4(192, 168, 1, 2), 4000};
  b.host = {Address::v4(192, 168, 2, 2), 5000};
  a.subnet = *Prefix::parse("192.168.1.0/24");
  b.subnet = *Prefix::parse("192.168.2.0/24");
}

// The host's own address, and what the hub saw (which opens the NAT toward the hub alone).
std::vector<Candidate> World::candidates_of(Site& site) {
  Endpoint seen = site.host;
  for (const auto& nat : site.nats) seen = nat->translate_out(seen, kHub);
  std::vector<Candidate> out = site.extra;
  if (seen == site.host) {
    const bool open = site.nats.empty();
    out.push_back({open ? CandidateKind::kPublic : CandidateKind::kServerReflexive, seen});
  } else {
    out.push_back({CandidateKind::kHost, site.host});
    out.push_back({CandidateKind::kServerReflexive, seen});
  }
  return out;
}

void World::start(bool both) {
  for (Site* site : {&a, &b}) {
    if (!site->budget) site->budget = std::make_unique<ProbeBudget>(ProbeBudget::Options{});
    site->agent = std::make_unique<Agent>(now, site->config, *site->budget,
                                          Rng::from_seed(site == &a ? 1 : 2));
    site->agent->set_local_subnets({site->subnet});
    site->agent->set_local_candidates(now, candidates_of(*site), site->nat_class);
    site->agent->set_relays(now, {{.path = kRelay, .endpoint = kHub}});
  }
  introduce(a);
  if (both) introduce(b);
}

void World::introduce(Site& site) {
  if (site.knows_peer) site.agent->set_remote_candidates(now, candidates_of(peer_of(site)));
  site.introduced = now;
  site.agent->want_direct(now);
  drain(site);
}

void World::drain(Site& site) {
  for (int round = 0; round < 1000; ++round) {
    ByteVector slot(2000);
    const auto transmit = site.agent->poll_transmit(now, slot);
    if (!transmit) break;
    slot.resize(transmit->size);
    send(site, *transmit, std::move(slot));
  }
  while (auto event = site.agent->poll_event()) {
    const auto* selected = std::get_if<PathSelected>(&*event);
    if (selected && selected->now.path == kSocket) ++site.direct_selections;
    site.events.push_back(*event);
  }
  if (site.is_direct() && !site.first_direct) site.first_direct = now;
}

void World::send(Site& site, const Transmit& transmit, ByteVector frame) {
  const std::size_t size = (frame.size() + 15) / 16 * 16 + 32;
  if (transmit.path == kSocket) {
    ++site.probes;
    ++site.probes_to[transmit.to];
  } else {
    site.calls += frame[0] == std::byte{0x20} ? 1 : 0;
  }
  if (lose && lose(site, frame)) return;
  if (transmit.path != kSocket) {
    if (relay_down) return;
    schedule(relay_one_way, {&peer_of(site), transmit.path, kHub, std::move(frame), size});
    return;
  }
  send_direct(site, transmit, std::move(frame), size);
}

// Hop by hop: own NATs, the core, the other side's NATs. A NAT lets a packet out (and keeps state)
// only if the packet lives to leave it.
void World::send_direct(Site& site, const Transmit& transmit, ByteVector frame, std::size_t size) {
  Site& other = peer_of(site);
  int ttl = transmit.ttl == 0 ? 64 : transmit.ttl;
  const bool one_lan = site.subnet == other.subnet && site.nats == other.nats;
  if (one_lan && transmit.to == other.host) {
    schedule(1ms, {&other, kSocket, site.host, std::move(frame), size});
    return;
  }
  Endpoint from = site.host;
  for (const auto& nat : site.nats) {
    if (--ttl <= 0) return;
    from = nat->translate_out(from, transmit.to);
    if (transmit.to.address == nat->outside() && nat == site.nats.back() &&
        !nat->options().hairpin) {
      return;
    }
  }
  if (--ttl <= 0 || blocked) return;
  if (size + 28 > path_mtu) return;
  Endpoint to = transmit.to;
  for (auto nat = other.nats.rbegin(); nat != other.nats.rend(); ++nat) {
    if (to.address != (*nat)->outside()) return;
    const auto inside = (*nat)->translate_in(from, to);
    if (!inside || --ttl <= 0) return;
    to = *inside;
  }
  if (to != other.host) return;
  const Nanoseconds delay = direct_one_way + (jitter ? jitter() : 0ns);
  schedule(delay, {&other, kSocket, from, std::move(frame), size});
}

void World::schedule(Nanoseconds delay, Packet packet) {
  if (duplicate) queue_.emplace(now + delay + 1ms, packet);
  queue_.emplace(now + delay, std::move(packet));
}

void World::deliver(Site& to, PathId path, const Endpoint& from, ConstBytes frame,
                    std::size_t size) {
  Reader r(frame);
  const std::uint8_t type = r.u8();
  const ConstBytes body = r.take(r.u16le());
  GINNEL_ASSERT(r.finished());
  to.agent->handle_authenticated(now, path, from);
  if (type == 0x20) (void)to.agent->handle_call_me_maybe(now, body);
  if (type == 0x21) (void)to.agent->handle_probe(now, path, from, body, size);
  if (type == 0x22) (void)to.agent->handle_probe_answer(now, path, from, body);
  if (type == 0x32) ++received;
  drain(to);
}

std::optional<Instant> World::next_event() const {
  std::optional<Instant> out;
  if (!queue_.empty()) out = queue_.begin()->first;
  for (const Site* site : {&a, &b}) out = earlier(out, site->agent->next_timeout());
  return out;
}

void World::step() {
  while (!queue_.empty() && queue_.begin()->first <= now) {
    const Packet packet = std::move(queue_.extract(queue_.begin()).mapped());
    deliver(*packet.to, packet.path, packet.from, packet.frame, packet.size);
  }
  for (Site* site : {&a, &b}) {
    const auto due = site->agent->next_timeout();
    if (due && *due <= now) site->agent->handle_timeout(now);
    drain(*site);
  }
}

void World::run_for(Nanoseconds time) {
  const Instant end = now + time;
  int idle_steps = 0;
  while (true) {
    const auto next = next_event();
    if (!next || *next > end) break;
    idle_steps = *next > now ? 0 : idle_steps + 1;
    GINNEL_ASSERT(idle_steps < 1000);  // an agent that wants to be called again and again
    now = std::max(now, *next);
    step();
  }
  now = end;
}

void World::talk(Site& from, Nanoseconds every, Nanoseconds time) {
  for (const Instant end = now + time; now < end;) {
    from.agent->want_direct(now);
    if (const auto selected = from.agent->selected()) {
      from.agent->handle_sent(now, selected->path, selected->endpoint);
      const ByteVector data = {std::byte{0x32}, std::byte{0}, std::byte{0}};
      send(from, {.path = selected->path, .to = selected->endpoint, .size = 3}, data);
      from.probes -= selected->path == kSocket ? 1 : 0;
    }
    run_for(every);
  }
}

}  // namespace ginnel::path::testing
