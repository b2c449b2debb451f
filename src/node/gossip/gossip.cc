#include "node/gossip/gossip.h"

#include <algorithm>

#include "proto/swim/limits.h"

namespace ginnel::node {
namespace {

using Kind = control::Gossip::Kind;

// serf wants up to 5 s. A `down` waits no longer than this: who missed it sees us fail.
constexpr Nanoseconds kLeaveTime = 2s;

// The overlay IPv6 address: every node has it, and it follows from the Id alone.
Address overlay_address(const PeerRecord& record) {
  const auto is_v6 = [](const Address& address) { return !address.is_v4(); };
  const auto found = std::ranges::find_if(record.addresses, is_v6);
  return found == record.addresses.end() ? Address{} : *found;
}

OwnTags own_tags(const PeerRecord& self, ConstBytes stored) {
  OwnTags out;
  out.set_certified(self.id.role(), self.tags);
  out.read(stored);
  return out;
}

swim::AgentConfig agent_config(const Gossip::Options& options, const OwnTags& tags) {
  swim::AgentConfig out;
  out.swim = options.config;
  out.swim.name = options.self.name;
  out.swim.advertise = {overlay_address(options.self), swim::kDefaultPort};
  out.swim.udp_buffer_bytes = kGossipDatagramBytes;
  out.app = swim::App::kGinnel;
  out.tags = tags.all();
  return out;
}

}  // namespace

Gossip::Gossip(const Options& options, const Directory& directory, const Pins& pins, Rng rng,
               Instant now)
    : directory_(directory),
      pins_(pins),
      self_(options.self.id),
      epoch_(options.epoch),
      tags_(own_tags(options.self, options.stored_tags)),
      agent_(agent_config(options, tags_), rng.fork("agent")),
      buffer_(kGossipDatagramBytes),
      now_(now) {
  agent_.set_neighbourhood(this);
  agent_.set_clock(now, options.wall);
  agent_.start(now);
}

// --- who is who

bool Gossip::reaches(std::string_view name) const {
  const auto id = pins_.holder_of_name(name);
  return id && may_reach(*id);
}

// docs/wire/ginnel.md section 15: a member cannot take over another's name or address.
bool Gossip::admits(std::string_view name, const Endpoint& at) const {
  const auto holder = pins_.holder_of_name(name);
  return holder && holder == pins_.holder_of(at.address) && at.port == swim::kDefaultPort;
}

Endpoint Gossip::endpoint_of(const Id& id) const {
  const Peer* peer = directory_.find(id);
  if (!peer) return {};
  return {overlay_address(peer->record), swim::kDefaultPort};
}

std::optional<Id> Gossip::id_of(const Endpoint& at) const {
  const Peer* peer = directory_.find_address(at.address);
  return peer && at.port == swim::kDefaultPort ? std::optional(peer->record.id) : std::nullopt;
}

bool Gossip::is_here(std::string_view name) const {
  const auto member = agent_.member(name);
  return member && (member->state == swim::State::kAlive || member->state == swim::State::kSuspect);
}

// --- sessions

// What waits for a session that nobody reaches for any more will never go.
void Gossip::set_reach(Reach reach) {
  reach_ = std::move(reach);
  std::erase_if(links_, [&](const auto& entry) {
    return !entry.second.is_open() && !hears(entry.first);
  });
}

void Gossip::session_up(Instant now, const Id& peer, std::uint64_t peer_epoch) {
  now_ = now;
  end_streams(peer);
  reach_.live.insert(peer);
  links_[peer].open({.own_epoch = epoch_, .peer_epoch = peer_epoch}, budget_);
  wanted_.insert(peer);
  if (!joining_) run_join(now);
}

void Gossip::session_down(const Id& peer) {
  end_streams(peer);
  links_.erase(peer);
  reach_.live.erase(peer);
}

void Gossip::resume(Instant now, const Id& peer) {
  const auto link = links_.find(peer);
  if (link == links_.end()) return;
  link->second.resume(now);
  wanted_.insert(peer);
}

void Gossip::handle_frame(Instant now, const Id& from, ConstBytes body) {
  now_ = now;
  const auto frame = control::parse_gossip(body);
  if (!frame) {
    ++dropped_;
    return;
  }
  reach_.live.insert(from);  // it just spoke
  switch (frame->kind) {
    case Kind::kNothing: return;
    case Kind::kDatagram: return handle_datagram(now, endpoint_of(from).address, frame->data);
    case Kind::kForward: return forward(from, *frame);
    case Kind::kForwarded:
      if (!from.is_hub()) {
        ++dropped_;
        return;
      }
      return handle_datagram(now, frame->address, frame->data);
    case Kind::kLane:
    case Kind::kLaneBack: break;
  }
  const auto link = links_.find(from);
  if (link == links_.end()) return;
  link->second.handle_lane(now, *frame);
  wanted_.insert(from);
  while (const auto message = link->second.poll_message()) handle_message(from, *message);
}

void Gossip::handle_datagram(Instant now, const Address& from, ConstBytes datagram) {
  const Endpoint source{from, swim::kDefaultPort};
  if (!id_of(source)) {
    ++dropped_;
    return;
  }
  ByteVector bytes = to_vector(datagram);
  agent_.handle_datagram(now, kSocket, source, bytes);
}

// A hub passes a datagram between two of its nodes, which have no session with each other.
void Gossip::forward(const Id& from, const control::Gossip& frame) {
  const auto target = id_of({frame.address, swim::kDefaultPort});
  if (!self_.is_hub() || !target || *target == from || !reach_.live.contains(*target)) {
    ++dropped_;
    return;
  }
  links_[*target].push({Kind::kForwarded, endpoint_of(from).address, frame.data});
  wanted_.insert(*target);
}

void Gossip::route(const Endpoint& to, ConstBytes datagram) {
  const auto id = id_of(to);
  if (!id) {
    ++dropped_;
    return;
  }
  if (hears(*id)) {
    links_[*id].push({Kind::kDatagram, {}, datagram});
    wanted_.insert(*id);
    return;
  }
  const auto live = [&](const Id& hub) { return reach_.live.contains(hub); };
  const auto hub = std::ranges::find_if(reach_.hubs, live);
  if (hub == reach_.hubs.end()) {
    ++dropped_;
    return;
  }
  links_[*hub].push({Kind::kForward, to.address, datagram});
  wanted_.insert(*hub);
}

std::size_t Gossip::poll_frame(Instant now, const Id& to, Bytes room) {
  const auto link = links_.find(to);
  return link == links_.end() ? 0 : link->second.poll_frame(now, room);
}

// --- time

void Gossip::handle_timeout(Instant now) {
  now_ = now;
  for (auto& [id, link] : links_) {
    const auto due = link.next_timeout();
    if (!due || *due > now) continue;
    link.handle_timeout(now);
    wanted_.insert(id);
  }
  agent_.handle_timeout(now);
  if (timers_.take_expired(Timer::kJoin, now)) run_join(now);
  if (timers_.take_expired(Timer::kLeave, now)) deliver(swim::Gone{});
}

std::optional<Instant> Gossip::next_timeout() const {
  std::optional<Instant> out = earlier(agent_.next_timeout(), timers_.next());
  for (const auto& [id, link] : links_) out = earlier(out, link.next_timeout());
  return out;
}

void Gossip::settle(Instant now) {
  now_ = now;
  if (budget_.take_freed()) {
    for (auto& [id, link] : links_) {
      link.handle_budget_freed();
      wanted_.insert(id);
    }
  }
  for (bool more = true; more;) {
    more = false;
    while (const auto transmit = agent_.poll_transmit(now, buffer_)) {
      route(transmit->to, ConstBytes(buffer_).first(transmit->size));
    }
    while (auto event = agent_.poll_event()) {
      more = true;
      deliver(*std::move(event));
    }
  }
}

void Gossip::deliver(swim::AgentEvent event) {
  if (const auto* inner = std::get_if<swim::Event>(&event)) {
    if (handle_stream(*inner)) return;
    const bool joined = std::holds_alternative<swim::JoinDone>(*inner);
    const bool failed = std::holds_alternative<swim::JoinFailed>(*inner) ||
                        std::holds_alternative<swim::NameTaken>(*inner);
    if (joined) join_wait_ = 0ns;
    if (joined || failed) joining_ = false;
  }
  if (std::holds_alternative<swim::Gone>(event)) {
    if (std::exchange(gone_, true)) return;  // in time, after its deadline
    timers_.stop(Timer::kLeave);
  }
  if (events_.size() == kGossipEventsMax) events_.pop_front();
  events_.push_back(std::move(event));
}

std::optional<Gossip::Event> Gossip::poll_event() {
  if (events_.empty()) return std::nullopt;
  Event out = std::move(events_.front());
  events_.pop_front();
  return out;
}

// --- ourselves

Result<void, Error> Gossip::change_tags(Instant now, const OwnTags::Tags& set,
                                        const std::vector<std::string>& del) {
  OwnTags changed = tags_;
  if (!changed.change(set, del)) {
    return Fail(Error{Errc::kUsage, "tags: role is what the certificate says",
                      "choose another key"});
  }
  if (!agent_.set_tags(now, changed.all())) {
    return Fail(Error{Errc::kUsage, "tags: one of them is too large, or there are too many",
                      "shorten them, or take some out with ginnel tags del"});
  }
  tags_ = std::move(changed);
  return {};
}

void Gossip::set_certified(Instant now, const PeerRecord& self) {
  tags_.set_certified(self.id.role(), self.tags);
  if (tags_.all() != agent_.tags()) (void)agent_.set_tags(now, tags_.all());
}

void Gossip::leave(Instant now) {
  now_ = now;
  timers_.stop(Timer::kJoin);
  timers_.set(Timer::kLeave, now + kLeaveTime);
  agent_.leave(now);
}

}  // namespace ginnel::node
