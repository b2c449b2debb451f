// The node as a member of its network's gossip cluster (src/node/gossip): which sessions gossip may
// use, and what of a session is more than gossip.
//
//   1. refresh_gossip   whom it may turn to: hubs, peers in use, neighbours in the order of Ids
//   2. pump_gossip      what it has to say wakes sessions, or begins one for gossip alone
//   3. note_frames      whether a packet that came was a use of its session
#include <algorithm>

#include "node/gossip/gossip.h"
#include "node/gossip/ring.h"
#include "node/node.h"

namespace ginnel::node {
namespace {

// A session that carried something else within this time is gossip's to use as well.
constexpr Nanoseconds kUseTime = 120s;

MemberState public_state(swim::State state) {
  switch (state) {
    case swim::State::kAlive: return MemberState::kAlive;
    case swim::State::kSuspect: return MemberState::kSuspect;
    case swim::State::kDead: return MemberState::kFailed;
    case swim::State::kLeft: return MemberState::kLeft;
  }
  return MemberState::kFailed;
}

// The member in an event, of those that have one and are about its state.
struct MemberOfEvent {
  template <class E>
  const swim::MemberInfo* operator()(const E& event) const {
    if constexpr (requires { { event.member } -> std::same_as<const swim::MemberInfo&>; }) {
      return &event.member;
    } else {
      return nullptr;
    }
  }
};

}  // namespace

void Node::start_gossip(Instant now, ByteVector stored_tags) {
  if (!config_.gossip) return;
  gossip_ = std::make_unique<Gossip>(Gossip::Options{.self = self_,
                                                     .config = *config_.gossip,
                                                     .epoch = epoch_,
                                                     .stored_tags = std::move(stored_tags),
                                                     .wall = wall(now)},
                                     directory_, trust_.pins(), rng_.fork("gossip"), now);
}

std::size_t Node::live_session_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      sessions_, [](const auto& entry) { return entry.second->has_key_pair; }));
}

swim::Agent* Node::gossip_agent() { return gossip_ ? &gossip_->agent() : nullptr; }

MemberInfo Node::public_member(const swim::MemberInfo& member) const {
  return {.id = trust_.pins().holder_of_name(member.name).value_or(Id{}),
          .name = member.name,
          .address = member.endpoint.text(),
          .state = public_state(member.state),
          .tags = gossip_->agent().tags_of(member).value_or(swim::serf::Tags()),
          .suspected_by = member.suspected_by};
}

std::vector<MemberInfo> Node::members() const {
  std::vector<MemberInfo> out;
  if (!gossip_) return out;
  for (const auto& member : gossip_->agent().members()) out.push_back(public_member(member));
  return out;
}

std::optional<MemberInfo> Node::member_of(const swim::AgentEvent& event) const {
  const auto* inner = std::get_if<swim::Event>(&event);
  const swim::MemberInfo* member = inner ? std::visit(MemberOfEvent(), *inner) : nullptr;
  return member ? std::optional(public_member(*member)) : std::nullopt;
}

Result<void, Error> Node::change_tags(Instant now, const std::map<std::string, std::string>& set,
                                      const std::vector<std::string>& del) {
  if (!gossip_) return Fail(Error{Errc::kUsage, "this node takes no part in gossip", ""});
  auto changed = gossip_->change_tags(now, set, del);
  if (changed) store("tags", gossip_->stored_tags());
  return changed;
}

void Node::leave_gossip(Instant now) {
  if (!gossip_) return raise(Gossiped{swim::Gone{}});
  gossip_->leave(now);
  pump_gossip(now);
}

// docs/wire/ginnel.md section 15, "Who talks to whom".
void Node::refresh_gossip(Instant now) {
  if (!gossip_) return;
  Gossip::Reach reach;
  for (const auto& [handle, session] : sessions_) {
    if (!session->id || session->stock) continue;
    if (session->has_key_pair && session->is_ready()) reach.live.insert(*session->id);
    if (session->hub_link) {
      reach.hubs.insert(*session->id);
    } else if (is_hub() || (session->used && now - *session->used < kUseTime)) {
      reach.others.insert(*session->id);
    }
  }
  reach.others.merge(neighbours_of(self_.id, directory_.peers(), [&](const Peer& peer) {
    return peer.is_online() || gossip_->is_here(peer.record.name);
  }));
  gossip_->set_reach(std::move(reach));
  drop_gossip_sessions();
}

// One that was made for gossip alone and is not needed any more goes with its last key pair.
void Node::drop_gossip_sessions() {
  std::vector<wg::PeerHandle> idle;
  for (const auto& [handle, session] : sessions_) {
    const bool may_go = session->for_gossip && !session->used && !session->has_key_pair &&
                        !session->hub_link && session->id;
    if (may_go && !gossip_->may_reach(*session->id)) idle.push_back(handle);
  }
  for (const wg::PeerHandle handle : idle) {
    drop_session(handle, {Errc::kUnreachable, "the session was gossip's alone", ""});
  }
}

void Node::run_gossip(Instant now) {
  if (!gossip_) return;
  const auto due = gossip_->next_timeout();
  if (!due || *due > now) return;
  refresh_gossip(now);
  gossip_->handle_timeout(now);
  pump_gossip(now);
}

void Node::pump_gossip(Instant now) {
  if (!gossip_) return;
  gossip_->settle(now);
  for (const Id& id : gossip_->take_wanted()) {
    if (Session* session = session_for_gossip(now, id)) wake(*session);
  }
  while (auto event = gossip_->poll_event()) raise(Gossiped{*std::move(event)});
}

// An answer goes where a session is; only what gossip reaches for by itself begins one.
Session* Node::session_for_gossip(Instant now, const Id& id) {
  Session* session = find(id);
  if (session && (session->has_key_pair || session->stock)) return session;
  if (!gossip_->may_reach(id) || !directory_.find(id)) return nullptr;
  const bool wanted_otherwise =
      session && (session->hub_link || !session->packets.empty() || !session->early.empty());
  session = reach_session(now, id);
  if (session && !wanted_otherwise) session->for_gossip = true;
  return session;
}

void Node::gossip_up(Instant now, const Session& session) {
  if (!gossip_ || !session.id) return;
  refresh_gossip(now);
  gossip_->session_up(now, *session.id, session.hello.peer_epoch());
  pump_gossip(now);
}

void Node::handle_gossip(Instant now, Session& session, ConstBytes body) {
  if (!gossip_ || !session.id) return;
  gossip_->handle_frame(now, *session.id, body);
  pump_gossip(now);
}

void Node::note_use(Instant now, Session& session) {
  end_gossip_only(now, session);
  session.used = now;
  session.wanted = true;
}

// From its first use on the search for a path begins as in a new session: what the agent knew while
// nobody wanted a path is old.
void Node::end_gossip_only(Instant now, Session& session) {
  const bool is_first = session.for_gossip || (!session.used && !session.wanted);
  session.for_gossip = false;
  if (!is_first || !session.agent) return;
  close_agent(session);
  open_agent(now, session);
}

// docs/wire/ginnel.md section 15, "No use of a path".
void Node::note_frames(Instant now, Session& session, const FrameKinds& kinds) {
  if (kinds.use) return note_use(now, session);
  if (kinds.hello && kinds.gossip && !session.used) session.for_gossip = true;
}

void Node::FrameKinds::add(control::FrameType type) {
  using control::FrameType;
  switch (type) {
    case FrameType::kHello: hello = true; return;
    case FrameType::kGossip: gossip = true; return;
    case FrameType::kPadding:
    case FrameType::kRefused:
    case FrameType::kGoodbye:
    case FrameType::kCallMeMaybe:
    case FrameType::kProbe:
    case FrameType::kProbeAnswer:
    case FrameType::kFragment: return;  // what is in it counts
    default: use = true;
  }
}

// GOSSIP frames for the rest of a packet. With a HELLO in front there is always one, so that the
// other side knows what the session is for.
std::size_t Node::compose_gossip(Instant now, Session& session, Bytes room, bool with_hello) {
  if (!gossip_ || !session.id || !may_use_channels(session)) return 0;
  std::size_t size = 0;
  while (const std::size_t n = gossip_->poll_frame(now, *session.id, room.subspan(size))) size += n;
  if (size == 0 && with_hello && session.for_gossip) {
    size = control::write_frame(control::Gossip{}, room);
  }
  return size;
}

}  // namespace ginnel::node
