#include "sim/world.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/timers.h"

namespace ginnel::sim {
namespace {

constexpr std::size_t kDatagramMax = 65'507;  // UDP over IPv4
constexpr std::uint8_t kDefaultTtl = 64;
constexpr std::size_t kReportLines = 40;

}  // namespace

// Takes a host's datagrams and hands them to the fabric.
class World::Batch final : public SendBatch {
 public:
  Batch(World& world, Machine& machine) : world_(world), machine_(machine) {}

  Bytes slot() override {
    is_full_ = sent_ >= kDatagramsPerDrainMax;
    return is_full_ ? Bytes{} : Bytes(world_.slot_);
  }

  void commit(const Transmit& transmit) override {
    GINNEL_ASSERT(transmit.size <= world_.slot_.size());
    const ConstBytes all = ConstBytes(world_.slot_).first(transmit.size);
    const std::size_t step = transmit.segment_size == 0 ? all.size() : transmit.segment_size;
    for (std::size_t at = 0; at < all.size(); at += step) {
      send(transmit, all.subspan(at, std::min(step, all.size() - at)));
    }
  }

  bool is_full() const { return is_full_; }
  std::vector<TooBig> too_big;

 private:
  void send(const Transmit& transmit, ConstBytes bytes) {
    ++sent_;
    Datagram datagram{.target = transmit.to, .ecn = transmit.ecn, .bytes = bytes};
    datagram.ttl = transmit.ttl == 0 ? kDefaultTtl : transmit.ttl;
    const Instant now = world_.now_;
    const auto port = machine_.port_of(transmit.path);
    const auto way = machine_.way_to(transmit.to.address, transmit.source);
    if (!port || !way) {
      const bool no_source = port && !transmit.source.is_unspecified();
      world_.fabric_.count_drop(now, {}, datagram,
                                !port       ? DropReason::kNoSocket
                                : no_source ? DropReason::kBadSource
                                            : DropReason::kNoRoute);
      return;
    }
    datagram.source = {way->source, *port};
    world_.trace_.add({now, TraceKind::kSend, machine_.id().value(), bytes.size(), datagram.source,
                       datagram.target});
    if (const auto mtu = world_.fabric_.send(now, way->attachment, datagram)) {
      too_big.push_back({transmit.to, bytes.size(), *mtu});
    }
  }

  World& world_;
  Machine& machine_;
  std::size_t sent_ = 0;
  bool is_full_ = false;
};

World::World(const WorldOptions& options)
    : options_(options),
      rng_(Rng::from_seed(options.seed)),
      trace_(options.trace_entries),
      topology_(rng_.fork("topology")),
      fabric_(topology_, queue_, trace_, rng_.fork("fabric")),
      slot_(kDatagramMax) {}

Clock World::clock(MachineId id) const {
  return {now_, options_.wall + (now_ - Instant{}) + machine(id).wall_offset_};
}

MachineId World::add_machine(std::string name, std::unique_ptr<Host> host) {
  const MachineId id{static_cast<std::uint32_t>(machines_.size())};
  machines_.push_back(
      std::make_unique<Machine>(id, std::move(name), topology_, rng_.fork("machine")));
  machines_.back()->host_ = std::move(host);
  return id;
}

AttachmentId World::attach(MachineId id, ZoneId zone, std::vector<Address> addresses,
                           const LinkPair& links) {
  const AttachmentId out = topology_.attach_machine(zone, id, std::move(addresses), links);
  machine(id).attachments_.push_back(out);
  network_changed(machine(id));
  return out;
}

void World::detach(AttachmentId id) {
  const auto owner = topology_.attachment(id).machine;
  GINNEL_ASSERT(owner.has_value());
  topology_.detach(id);
  std::erase(machine(*owner).attachments_, id);
  network_changed(machine(*owner));
}

void World::network_changed(Machine& machine) {
  if (!machine.is_running()) return;
  machine.host_->handle_network_change(clock(machine.id()));
  settle(machine);
}

void World::start(MachineId id) {
  Machine& m = machine(id);
  if (m.is_up_) return;
  m.is_up_ = true;
  trace_.add({.at = now_, .kind = TraceKind::kStart, .subject = id.value()});
  m.host_->start(clock(id), m);
  settle(m);
}

void World::crash(MachineId id) {
  Machine& m = machine(id);
  if (!m.is_up_) return;
  trace_.add({.at = now_, .kind = TraceKind::kCrash, .subject = id.value()});
  m.host_->crash();
  m.is_up_ = false;
  m.is_suspended_ = false;
  m.ports_.clear();
  m.paths_.clear();
  m.wake_at_.reset();
  for (Checker* checker : checkers_) checker->on_crash(*this, id);
}

void World::suspend(MachineId id) {
  Machine& m = machine(id);
  if (m.is_up_) m.is_suspended_ = true;
  m.wake_at_.reset();
}

void World::resume(MachineId id) {
  if (!std::exchange(machine(id).is_suspended_, false)) return;
  Machine& m = machine(id);
  if (!m.is_running()) return;
  m.host_->handle_resumed(clock(id));  // what changed meanwhile is seen now
  settle(m);
}

void World::jump_wall(MachineId id, Nanoseconds by) { machine(id).wall_offset_ += by; }

void World::poke(MachineId id) {
  if (machine(id).is_running()) settle(machine(id));
}

void World::settle(Machine& m) {
  Batch batch(*this, m);
  m.host_->drain(clock(m.id()), batch);
  if (!batch.too_big.empty()) {
    for (const TooBig& what : batch.too_big) m.host_->handle_too_big(clock(m.id()), what);
    // What the host sends in answer to that, and is too big again, it is not told of.
    m.host_->drain(clock(m.id()), batch);
  }
  arm(m, batch.is_full());
}

void World::arm(Machine& m, bool socket_full) {
  auto at = m.host_->next_timeout();
  if (socket_full) at = earlier(at, now_ + kSocketFullPause);
  if (!at) return;
  at = std::max(*at, now_);
  if (m.wake_at_ && *m.wake_at_ <= *at) return;  // then it will be armed again
  m.wake_at_ = at;
  queue_.add(*at, EventKind::kWake, m.id().value());
}

void World::wake(Machine& m) {
  if (!m.is_running() || m.wake_at_ != now_) return;
  m.wake_at_.reset();
  const auto due = m.host_->next_timeout();
  if (due && *due <= now_) {
    m.timeouts_at_once_ = m.last_timeout_ == now_ ? m.timeouts_at_once_ + 1 : 1;
    m.last_timeout_ = now_;
    GINNEL_ASSERT(m.timeouts_at_once_ <= kTimeoutsAtOnceMax);
    trace_.add({.at = now_, .kind = TraceKind::kTimeout, .subject = m.id().value()});
    m.host_->handle_timeout(clock(m.id()));
  }
  settle(m);
}

void World::deliver(const Delivery& delivery) {
  Machine& m = machine(delivery.machine);
  Packet& packet = fabric_.packet(delivery.packet);
  const auto path = m.path_of(packet.target.port);
  if (!m.is_running() || !path) {
    fabric_.drop(now_, delivery.packet,
                 m.is_running() ? DropReason::kNoSocket : DropReason::kMachineDown);
    return;
  }
  trace_.add({now_, TraceKind::kDeliver, m.id().value(), packet.bytes.size(), packet.source,
              packet.target});
  if (options_.hash_payloads) trace_.add_bytes(packet.bytes);
  const Arrival arrival{*path, packet.target, packet.source, packet.ttl, packet.ecn};
  m.host_->handle_datagram(clock(m.id()), arrival, packet.bytes);
  fabric_.release(delivery.packet);
  settle(m);
}

void World::call_at(Instant at, Call call) {
  std::uint32_t index = 0;
  if (free_calls_.empty()) {
    index = static_cast<std::uint32_t>(calls_.size());
    calls_.push_back(std::move(call));
  } else {
    index = free_calls_.back();
    free_calls_.pop_back();
    calls_[index] = std::move(call);
  }
  queue_.add(std::max(at, now_), EventKind::kCall, index);
}

bool World::step() {
  if (queue_.empty()) return false;
  const Event event = queue_.take();
  now_ = event.at;
  ++events_;
  switch (event.kind) {
    case EventKind::kPacket:
      if (const auto delivery = fabric_.advance(now_, event.subject)) deliver(*delivery);
      break;
    case EventKind::kWake:
      wake(machine(MachineId{event.subject}));
      break;
    case EventKind::kCall: {
      const Call call = std::exchange(calls_[event.subject], nullptr);
      free_calls_.push_back(event.subject);
      call(*this);
      break;
    }
  }
  for (Checker* checker : checkers_) checker->on_step(*this);
  return true;
}

void World::run_until(Instant end) {
  while (!queue_.empty() && queue_.next_at() <= end) step();
  now_ = std::max(now_, end);
}

bool World::finish() {
  for (Checker* checker : checkers_) checker->finish(*this);
  return !failed();
}

bool World::failed() const {
  return std::ranges::any_of(checkers_, [](const Checker* c) { return c->violation_count() > 0; });
}

std::string World::failure_report(std::string_view commit) const {
  std::string out;
  for (const Checker* checker : checkers_) {
    for (const std::string& what : checker->violations()) out += "violated: " + what + "\n";
    const std::size_t untold = checker->violation_count() - checker->violations().size();
    if (untold > 0) out += "violated: " + std::to_string(untold) + " more\n";
  }
  return out + trace_.text(kReportLines) + replay_line(options_.seed, commit) + "\n";
}

std::string replay_line(std::uint64_t seed, std::string_view commit) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), seed, 16).ptr;
  return "./dev sim --seed=0x" + std::string(digits.begin(), end) + " --at=" + std::string(commit);
}

}  // namespace ginnel::sim
