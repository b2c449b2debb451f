#include "node/joiner.h"

#include <algorithm>

#include "base/timers.h"
#include "proto/control/frame.h"
#include "proto/control/hello.h"

namespace ginnel::node {
namespace {

using control::RefusedCode;

constexpr std::size_t kJoinPlaintextMax = control::kFrameHeaderBytes + control::Join::kBytesMax;

bool all_refused(const auto& attempts) {
  return std::ranges::all_of(attempts, [](const auto& a) { return a.second.refused; });
}

}  // namespace

Joiner::Joiner(Options options, const OwnIdentity& identity, Rng rng, Instant now, Wall wall)
    : options_(std::move(options)),
      identity_(identity),
      start_(now),
      wall_at_start_(wall),
      device_({}, identity.session.clone(), rng.fork("wg"), now, wall) {
  for (std::size_t i = 0; i < options_.token.hubs.size(); ++i) {
    auto endpoints = i < options_.endpoints.size() ? options_.endpoints[i] : std::vector<Endpoint>{};
    if (!endpoints.empty()) add_hub(now, options_.token.hubs[i], std::move(endpoints));
  }
}

void Joiner::add_hub(Instant now, const control::TokenHub& hub, std::vector<Endpoint> endpoints) {
  wg::PeerConfig config;
  config.retransmission = wg::Retransmission::kOwnNode;
  const auto peer = device_.add_peer(now, hub.session, std::move(config));
  if (!peer) return;  // the same hub twice, or a key that is none
  device_.set_endpoint(now, *peer, kSocket, endpoints.front());
  device_.begin_handshake(now, *peer);
  Attempt attempt;
  attempt.endpoints = std::move(endpoints);
  attempt.endpoint_since = now;
  attempts_.emplace(*peer, std::move(attempt));
  hub_keys_.emplace(*peer, hub.session);
}

void Joiner::handle_datagram(Instant now, PathId path, const Endpoint& from, Bytes bytes) {
  const auto opened = device_.open(now, path, from, bytes);
  handle_device_events(now);
  if (opened && !opened->plaintext.empty()) handle_frames(now, opened->peer, opened->plaintext);
}

void Joiner::handle_device_events(Instant now) {
  while (auto event = device_.poll_event()) {
    if (const auto* up = std::get_if<wg::SessionEstablished>(&*event)) {
      const auto it = attempts_.find(up->peer);
      if (it == attempts_.end() || it->second.established) continue;
      it->second.established = true;
      it->second.join.start(now);
    } else if (const auto* unknown = std::get_if<wg::UnknownInitiator>(&*event)) {
      device_.refuse(unknown->token);
    }
  }
}

void Joiner::handle_frames(Instant now, wg::PeerHandle peer, ConstBytes plaintext) {
  const auto it = attempts_.find(peer);
  if (it == attempts_.end() || outcome_) return;
  control::FrameReader frames(plaintext);
  while (const auto frame = frames.next()) {
    if (frame->type == control::FrameType::kJoined) {
      if (const auto joined = control::parse_joined(frame->body)) handle_joined(now, *joined);
    } else if (frame->type == control::FrameType::kRefused) {
      const auto refused = control::parse_refused(frame->body);
      if (refused) handle_refused(it->second, *refused);
    }
  }
}

void Joiner::handle_joined(Instant now, const control::Joined& joined) {
  const Trust trust(options_.token.network);
  auto self = trust.inspect(joined.chain, wall(now));
  if (!self) return fail(self.error());
  auto hub = trust.inspect(joined.hub_chain, wall(now));
  if (!hub) return fail(hub.error());
  const bool ours = self->identity_key == crypto::public_of(identity_.identity) &&
                    self->session_key == device_.public_key() && self->id == identity_.id();
  if (!ours) return fail({RefusedCode::kMalformed, "the hub certified somebody else", {}});
  outcome_ = JoinedOutcome{.chain = to_vector(joined.chain),
                           .self = *std::move(self),
                           .hub = *std::move(hub),
                           .overlay_v4 = joined.overlay_v4,
                           .network_name = joined.network_name,
                           .hubs = joined.hubs};
}

void Joiner::handle_refused(Attempt& attempt, const control::Refused& refused) {
  attempt.join.stop();
  // Busy is no verdict: the hub is asked again.
  if (refused.code == RefusedCode::kBusy) return;
  attempt.refused = true;
  fail({refused.code, std::string(refused.text), {}});
}

void Joiner::fail(Refusal refusal) {
  last_refusal_ = std::move(refusal);
  if (all_refused(attempts_)) outcome_ = Fail(*last_refusal_);
}

void Joiner::handle_timeout(Instant now) {
  for (auto& [peer, attempt] : attempts_) {
    if (attempt.established || now - attempt.endpoint_since < kEndpointTime) continue;
    attempt.endpoint_since = now;
    if (attempt.endpoints.size() < 2) continue;
    attempt.endpoint = (attempt.endpoint + 1) % attempt.endpoints.size();
    device_.set_endpoint(now, peer, kSocket, attempt.endpoints[attempt.endpoint]);
    device_.begin_handshake(now, peer);
  }
  device_.handle_timeout(now);
  handle_device_events(now);
}

std::optional<Transmit> Joiner::poll_transmit(Instant now, Bytes slot) {
  if (auto transmit = device_.poll_transmit(now, slot)) return transmit;
  if (outcome_) return std::nullopt;
  for (auto& [peer, attempt] : attempts_) {
    if (!attempt.join.take_due(now)) continue;
    if (auto transmit = transmit_join(now, peer, attempt, slot)) return transmit;
  }
  return std::nullopt;
}

std::optional<Transmit> Joiner::transmit_join(Instant now, wg::PeerHandle peer, Attempt& attempt,
                                              Bytes slot) {
  control::Join join;
  join.secret = options_.token.secret.clone();
  join.session = device_.public_key();
  join.role = identity_.role;
  join.name = options_.name;
  join.endpoints = options_.own_endpoints;
  control::sign_join(join, identity_.identity, identity_.network, hub_keys_.at(peer));
  std::array<std::byte, kJoinPlaintextMax> plaintext{};
  const std::size_t size = control::write_frame(join, plaintext);
  const auto sealed = device_.seal(now, peer, Bytes(plaintext).first(size), slot);
  if (!sealed) return std::nullopt;
  return Transmit{.path = kSocket, .to = attempt.endpoints[attempt.endpoint], .size = *sealed};
}

std::optional<Instant> Joiner::next_timeout() const {
  std::optional<Instant> out = device_.next_timeout();
  for (const auto& [peer, attempt] : attempts_) {
    out = earlier(out, attempt.join.next());
    if (!attempt.established) out = earlier(out, attempt.endpoint_since + kEndpointTime);
  }
  return out;
}

}  // namespace ginnel::node
