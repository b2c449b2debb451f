#include "base/assert.h"
#include "proto/control/acknowledgement.h"
#include "proto/control/datagram.h"
#include "proto/control/fragment.h"
#include "proto/control/gossip.h"
#include "proto/control/hello.h"
#include "proto/control/join.h"
#include "proto/control/lane.h"
#include "proto/control/ping.h"
#include "proto/control/registration.h"

namespace {

using namespace ginnel;
using namespace ginnel::control;

// What is accepted is written as the same bytes: there is one encoding of everything.
template <class T>
void check(const Result<T, Drop>& parsed, ConstBytes body) {
  if (!parsed) return;
  ByteVector out(body.size());
  GINNEL_ASSERT(write(*parsed, out) == body.size());
  GINNEL_ASSERT(equal(out, body));
}

void check_hello(ConstBytes body) {
  const auto hello = parse_hello(body);
  if (!hello) return;
  ByteVector out(body.size());
  const std::size_t size = write(*hello, out);  // without what a later version added
  GINNEL_ASSERT(size > 0);
  GINNEL_ASSERT(equal(Bytes(out).first(size), body.first(size)));
  const auto agreed = negotiate({}, *hello);
  if (agreed) GINNEL_ASSERT(agreed->version == kWireVersion);
}

// Nobody signs for whom the fuzzer invents.
void check_join(ConstBytes body) {
  const auto join = parse_join(body);
  check(join, body);
  if (join) (void)verify_join(*join, crypto::NetworkPublic(), crypto::SessionPublic());
}

void check_fragment(Reassembler& reassembler, ConstBytes body) {
  const auto fragment = parse_fragment(body);
  check(fragment, body);
  if (!fragment) return;
  // Ids tell the time, too, so that a half can be too old for the other one.
  const auto whole = reassembler.add(Instant{} + 1s * (fragment->packet_id >> 24), *fragment);
  if (whole) GINNEL_ASSERT(whole->size() > fragment->part.size());
}

void dispatch(Reassembler& reassembler, const Frame& frame) {
  const ConstBytes body = frame.body;
  switch (frame.type) {
    case FrameType::kHello:
      return check_hello(body);
    case FrameType::kJoin:
      return check_join(body);
    case FrameType::kJoined:
      return check(parse_joined(body), body);
    case FrameType::kRefused:
      return check(parse_refused(body), body);
    case FrameType::kGoodbye:
      return check(parse_goodbye(body), body);
    case FrameType::kPing:
      return check(parse_ping(body), body);
    case FrameType::kPong:
      return check(parse_pong(body), body);
    case FrameType::kRegister:
      return check(parse_register(body), body);
    case FrameType::kRegistered:
      return check(parse_registered(body), body);
    case FrameType::kHeartbeat:
      return check(parse_heartbeat(body), body);
    case FrameType::kHeartbeatAck:
      return check(parse_heartbeat_ack(body), body);
    case FrameType::kKcp:
    case FrameType::kKcpBack:
      return void(parse_lane_packet(body));
    case FrameType::kDatagram:
      return check(parse_datagram(body), body);
    case FrameType::kGossip:
      return check(parse_gossip(body), body);
    case FrameType::kFragment:
      return check_fragment(reassembler, body);
    default:
      return;
  }
}

}  // namespace

// A decrypted packet of an authenticated but hostile peer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reassembler reassembler;
  const ConstBytes packet = std::as_bytes(std::span(data, size));
  if (inner_kind(packet) != InnerKind::kFrames) return 0;
  FrameReader frames(packet);
  while (const auto frame = frames.next()) {
    (void)allowed_in_provisional(frame->type);
    dispatch(reassembler, *frame);
  }
  return 0;
}
