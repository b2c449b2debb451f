// How a node attaches to a hub and both stay sure of each other: REGISTER, REGISTERED, HEARTBEAT,
// HEARTBEAT_ACK (docs/wire/ginnel.md section 7).
//
//   REGISTER       0  sequence u32le    4  table epoch u64le   12  table sequence u32le
//                 16  network info blob16    …  link count u8 (<= 32), 24 bytes each:
//                     peer id 17, path kind u8, RTT u32le (us), loss u16le (of 65536)
//   REGISTERED     0  sequence u32le    4  relay index u24le    7  relay key 16
//                 23  observed endpoint 18   41  heartbeat u32le (ms)   45  hub epoch u64le
//                 53  probe port u16be
//   HEARTBEAT      0  sequence u32le    4  stamp u64le   12  table epoch u64le
//                 20  table sequence u32le   24  revocations number u64le   32  hash 8
//   HEARTBEAT_ACK  the same, then 40  observed endpoint 18
#pragma once
#include <ginnel/id.h>
#include <ginnel/types.h>

#include <vector>

#include "base/address.h"
#include "crypto/siphash.h"
#include "proto/control/frame.h"
#include "proto/control/revocation.h"

namespace ginnel::control {

inline constexpr std::size_t kLinksMax = 32;  // the sender leaves the least important ones out
inline constexpr std::uint32_t kHeartbeatMsMin = 100;
inline constexpr std::uint32_t kHeartbeatMsMax = 60'000;

// How far a copy of a hub's table E goes. Epoch 0: no copy.
struct TablePosition {
  std::uint64_t epoch = 0;  // the hub's
  std::uint32_t sequence = 0;
  friend bool operator==(const TablePosition&, const TablePosition&) = default;
};

// Table F: one live link of the reporting node.
struct LinkReport {
  static constexpr std::size_t kBytes = 24;

  Id peer;
  PathKind path = PathKind::kNone;
  std::uint32_t rtt_us = 0;
  std::uint16_t loss_per_65536 = 0;
  friend bool operator==(const LinkReport&, const LinkReport&) = default;
};

struct Register {
  static constexpr FrameType kType = FrameType::kRegister;

  std::uint32_t sequence = 0;
  TablePosition table;
  ConstBytes network_info;  // borrowed: parse_network_info
  std::vector<LinkReport> links;
};
// Errors: kTooMany (links), kBadField.
Result<Register, Drop> parse_register(ConstBytes body);
void encode(const Register& message, Writer& w);

struct Registered {
  static constexpr FrameType kType = FrameType::kRegistered;

  std::uint32_t sequence = 0;     // of the REGISTER it answers
  std::uint32_t relay_index = 0;  // 1..2^24-1
  crypto::SipKey relay_key{};
  Endpoint observed;  // all zero: the REGISTER came over a stream
  std::uint32_t heartbeat_ms = 0;
  std::uint64_t hub_epoch = 0;
  std::uint16_t probe_port = 0;  // 0: none
  friend bool operator==(const Registered&, const Registered&) = default;
};
// Errors: kBadField (relay index 0, heartbeat outside its limits).
Result<Registered, Drop> parse_registered(ConstBytes body);
void encode(const Registered& message, Writer& w);

// What both directions of a heartbeat tell: the other side sees what it lacks.
struct Heartbeat {
  static constexpr FrameType kType = FrameType::kHeartbeat;

  std::uint32_t sequence = 0;
  std::uint64_t stamp = 0;  // comes back unchanged; means something to its sender alone
  TablePosition table;
  std::uint64_t revocations_number = 0;  // 0: no set
  RevocationsHash revocations_hash{};
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};
Result<Heartbeat, Drop> parse_heartbeat(ConstBytes body);
void encode(const Heartbeat& message, Writer& w);

struct HeartbeatAck {
  static constexpr FrameType kType = FrameType::kHeartbeatAck;

  Heartbeat state;  // sequence and stamp echoed; table and revocations are the hub's
  Endpoint observed;
  friend bool operator==(const HeartbeatAck&, const HeartbeatAck&) = default;
};
Result<HeartbeatAck, Drop> parse_heartbeat_ack(ConstBytes body);
void encode(const HeartbeatAck& message, Writer& w);

}  // namespace ginnel::control
