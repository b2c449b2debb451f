// A datagram's way in (docs/wire/ginnel.md section 2):
//
//   1. handle_datagram    what is it: WireGuard, relay, STUN
//   2. handle_relayed     a hub passes it on; a node unwraps it and looks again
//   3. handle_wireguard   the device opens it
//   4. handle_plaintext   an IP packet, or frames
//   5. handle_frame       one frame to whom it concerns
#include <algorithm>

#include "base/reader.h"
#include "node/ip_packet.h"
#include "node/node.h"
#include "proto/control/datagram.h"

namespace ginnel::node {

namespace {

using control::FrameType;

// A hub that says so will not change its mind by itself: the user has to know.
bool keeps_out(control::RefusedCode code) {
  using control::RefusedCode;
  return code == RefusedCode::kRevoked || code == RefusedCode::kNotAllowed ||
         code == RefusedCode::kCertificateInvalid || code == RefusedCode::kCertificateExpired;
}

}  // namespace

void Node::handle_datagram(Instant now, PathId path, const Endpoint& from, Bytes bytes) {
  if (bytes.size() < 4) return;
  const std::uint32_t first = Reader(bytes).u32le();
  if (first >= 1 && first <= 4) return handle_wireguard(now, path, from, bytes);
  if (relay::is_relay(bytes)) return handle_relayed(now, path, bytes);
  const auto accept = config_.hub ? stun::Accept::kOldRequestsToo : stun::Accept::kWithCookie;
  if (stun::is_stun(bytes, accept)) handle_stun(now, path, from, bytes);
}

void Node::handle_relayed(Instant now, PathId path, Bytes bytes) {
  const auto header = relay::parse_header(bytes);
  if (!header || is_relay_path(path)) return;
  if (header->hops == relay::kHopsFromHub) return handle_from_relay(now, bytes);
  if (!relay_) return;
  const auto transmit = relay_->forward(now, bytes);
  if (transmit) push_raw(*transmit, bytes);
}

// From one of our hubs: the right key says which one.
void Node::handle_from_relay(Instant now, Bytes bytes) {
  for (auto& [handle, session] : sessions_) {
    if (!session->hub_link || !session->hub_link->registration()) continue;
    const auto& registration = *session->hub_link->registration();
    const auto opened =
        relay::open(bytes, relay::Index(registration.relay_index), registration.relay_key);
    if (!opened) continue;
    const wg::Route route = relay_route(handle, opened->source.value());
    const std::uint32_t type = Reader(opened->payload).u32le();
    if (type >= 1 && type <= 4) handle_wireguard(now, route.path, route.endpoint, opened->payload);
    return;
  }
}

void Node::handle_wireguard(Instant now, PathId path, const Endpoint& from, Bytes bytes) {
  const auto opened = device_.open(now, path, from, bytes);
  handle_device_events(now);
  if (!opened) return;
  Session* session = find(opened->peer);
  if (!session) return;
  wake(*session);
  if (opened->type == wg::MessageType::kCookieReply) return;
  note_heard(now, *session, {path, from});
  if (!opened->plaintext.empty()) {
    session->rx_bytes += opened->plaintext.size();
    handle_plaintext(now, *session, {path, from}, opened->plaintext);
  }
}

void Node::handle_stun(Instant now, PathId path, const Endpoint& from, ConstBytes bytes) {
  if (is_relay_path(path) || handle_stun_answer(now, path, from, bytes)) return;
  if (!stun_server_) return;
  const auto port = path == kProbeSocket ? stun::ServerPort::kProbe : stun::ServerPort::kMain;
  std::array<std::byte, 1500> out{};
  const auto answer = stun_server_->handle_request(now, from, port, bytes, out);
  if (!answer) return;
  const PathId via = answer->from == stun::ServerPort::kProbe ? kProbeSocket : kSocket;
  push_raw({.path = via, .to = from, .size = answer->size}, Bytes(out).first(answer->size));
}

void Node::handle_plaintext(Instant now, Session& session, const wg::Route& from,
                            Bytes plaintext) {
  switch (control::inner_kind(plaintext)) {
    case control::InnerKind::kIp:
      if (is_stopped(session)) return;
      if (session.stock || session.is_ready()) {
        note_use(now, session);
        handle_ip(session, plaintext);
      }
      return;
    case control::InnerKind::kFrames: {
      // What a lane carries is sent again until it is acknowledged, so nothing of it is lost.
      if (session.stock || is_stopped(session)) return;
      const wg::PeerHandle handle = session.handle;
      control::FrameReader frames(plaintext);
      FrameKinds kinds;
      while (const auto frame = frames.next()) {
        // A frame may end the session.
        Session* live = find(handle);
        if (!live) return;
        if (!live->is_ready() && !control::allowed_in_provisional(frame->type)) continue;
        kinds.add(frame->type);
        handle_frame(now, *live, from, *frame);
      }
      if (Session* live = find(handle)) note_frames(now, *live, kinds);
      return;
    }
    case control::InnerKind::kKeepalive:
    case control::InnerKind::kUnknown:
      return;
  }
}

void Node::handle_frame(Instant now, Session& session, const wg::Route& from,
                        const control::Frame& frame) {
  const ConstBytes body = frame.body;
  switch (frame.type) {
    case FrameType::kHello: return handle_hello(now, session, body);
    case FrameType::kJoin: return handle_join(now, session, body);
    case FrameType::kRefused: return handle_refused(now, session, body);
    case FrameType::kGoodbye: return handle_goodbye(now, session, body);
    case FrameType::kPing:
      if (const auto ping = control::parse_ping(body)) {
        (void)push_frame(session, control::Pong{*ping});
        wake(session);
      }
      return;
    case FrameType::kPong:
      if (const auto pong = control::parse_pong(body)) {
        if (pong->ping.id == kMtuPing) return handle_mtu_pong(now, session, pong->ping);
        const Instant sent{static_cast<std::int64_t>(pong->ping.stamp)};
        if (sent <= now) {
          raise(PongReceived{pong->ping.id, pong->ping.sequence, *session.id, now - sent});
        }
      }
      return;
    case FrameType::kRegister: return handle_register(now, session, from, body);
    case FrameType::kRegistered:
      if (const auto message = control::parse_registered(body)) {
        handle_registered(now, session, *message);
      }
      return;
    case FrameType::kHeartbeat: return handle_heartbeat(now, session, from, body);
    case FrameType::kHeartbeatAck:
      if (const auto ack = control::parse_heartbeat_ack(body)) {
        handle_heartbeat_ack(now, session, *ack);
      }
      return;
    case FrameType::kCallMeMaybe:
    case FrameType::kProbe:
    case FrameType::kProbeAnswer: return handle_path_frame(now, session, from, frame);
    case FrameType::kKcp:
    case FrameType::kKcpBack:
      if (session.channels) {
        const auto taken = session.channels->handle_kcp(now, frame.type, body);
        if (!taken) ++losses_of(session).lane_packets;
        handle_channel_events(now, session);
      }
      return;
    case FrameType::kDatagram:
      if (const auto datagram = control::parse_datagram(body)) {
        raise(DatagramReceived{*session.id, std::string(datagram->channel),
                               to_vector(datagram->data)});
      }
      return;
    case FrameType::kFragment: return handle_fragment(now, session, from, body);
    case FrameType::kGossip: return handle_gossip(now, session, body);
    default: return;
  }
}

void Node::handle_ip(Session& session, ConstBytes packet) {
  const auto header = parse_ip(packet);
  if (!header || !may_send_from(session, header->source)) return;
  raise(TunPacket{to_vector(packet.first(header->total_size))});
}

void Node::handle_fragment(Instant now, Session& session, const wg::Route& from,
                           ConstBytes body) {
  const auto fragment = control::parse_fragment(body);
  if (!fragment) return;
  auto whole = session.fragments.add(now, *fragment);
  if (!whole) return;
  // A fragment carries no fragment (docs/wire/ginnel.md section 10).
  if (control::inner_kind(*whole) == control::InnerKind::kFrames) {
    control::FrameReader frames(*whole);
    while (const auto frame = frames.next()) {
      if (frame->type == FrameType::kFragment) return;
    }
  }
  handle_plaintext(now, session, from, *whole);
}

void Node::handle_refused(Instant now, Session& session, ConstBytes body) {
  const auto refused = control::parse_refused(body);
  if (!refused) return;
  const std::string who = session.id ? session.id->text() : session.key.base64();
  const bool taken = refused->code == control::RefusedCode::kNameTaken ||
                     refused->code == control::RefusedCode::kAddressTaken;
  const bool out = keeps_out(refused->code) &&
                   (session.hub_link || refused->code == control::RefusedCode::kNotAllowed);
  std::string text = who + " refuses us: " + std::string(refused->text);
  if (taken) text += " and is claimed by " + self_.id.text();
  warn_of(now, session,
          taken ? std::string(code_name(Errc::kNameClash))
          : out ? std::string(code_name(Errc::kDenied))
                : "",
          std::move(text));
  const bool may_pick = refused->code == control::RefusedCode::kAddressTaken &&
                        refused->of == FrameType::kHello && identity_.is_by_secret();
  if (may_pick) pick_address_again(now);
}

void Node::handle_goodbye(Instant now, Session& session, ConstBytes body) {
  const auto goodbye = control::parse_goodbye(body);
  if (!goodbye || !session.id) return;
  const Id id = *session.id;
  detach(now, id);
  if (session.hub_link) {
    hub_lost(now, session);
    session.hub_retry = now + std::chrono::milliseconds(goodbye->return_ms) + kHubEndpointTime;
    return;
  }
  drop_session(session.handle, {Errc::kUnreachable, "the peer left", ""});
}

void Node::handle_channel_events(Instant now, Session& session) {
  const wg::PeerHandle handle = session.handle;
  for (;;) {
    Session* live = find(handle);
    if (!live || !live->channels) return;
    auto event = live->channels->poll_event();
    if (!event) return;
    if (const auto* arrived = std::get_if<MessageArrived>(&*event)) {
      handle_arrived(*live, arrived->lane);
    } else if (const auto* writable = std::get_if<WritableAgain>(&*event)) {
      handle_writable(now, *live, writable->lane);
    } else if (const auto* control = std::get_if<ControlArrived>(&*event)) {
      handle_control(now, *live, control->type, control->body);
    }
  }
}

// What waits goes first: a program that is told earlier would only be refused again.
void Node::handle_writable(Instant now, Session& session, const LaneKey& lane) {
  if (session.is_ready()) flush_early(session);
  if (session.id) refuse_until_writable(*session.id, lane);
  resolve_waiting(now);
}

void Node::handle_control(Instant now, Session& session, control::ControlType type,
                          ConstBytes body) {
  using control::ControlType;
  switch (type) {
    case ControlType::kSnapshotBegin:
    case ControlType::kRows:
    case ControlType::kSnapshotEnd:
    case ControlType::kDelta:
    case ControlType::kIssuer:
      if (!session.hub_link) return;
      (void)session.hub_link->table().handle(type, body);
      return take_table_changes(now, session);
    case ControlType::kSnapshotRequest:
      if (!config_.hub) return;
      registry_.restart(*session.id);
      return pump_follower(now, *session.id);
    case ControlType::kRevocations: return adopt_revocations(now, body);
    case ControlType::kRevocationsRequest:
      return send_revocations(session);
    case ControlType::kRenew: return handle_renew(now, session, body);
    case ControlType::kRenewed: return adopt_chain(now, body);
    case ControlType::kNotRenewed:
      return warn_of(now, session, "", "a hub would not renew our certificate");
    case ControlType::kTaken:
      if (const auto taken = control::parse_taken(body)) settle(taken->message_id, {});
      return;
    case ControlType::kNotTaken:
      if (const auto refused = control::parse_not_taken(body)) note_not_taken(*refused);
      return;
    case ControlType::kCancel:
      if (const auto cancel = control::parse_cancel(body)) {
        session.channels->cancel(cancel->message_id);
      }
      return;
    case ControlType::kLaneReset:
      if (const auto reset = control::parse_lane_reset(body)) {
        session.channels->handle_reset(reset->lane);
      }
      return;
    case ControlType::kHubs: {
      Reader r(body);
      if (const auto hubs = control::read_hub_list(r)) learn_hubs(now, *hubs);
      return;
    }
    default: return;
  }
}

}  // namespace ginnel::node
