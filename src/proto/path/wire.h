// The three frames of proto/path: bodies only, the header (type u8, length u16le) is that of every
// inner frame. All travel inside the session, so neither hub nor network can forge one. Integers
// are little-endian, ports big-endian, `address` 16 bytes with IPv4 as v4-mapped, reserved bits
// zero; nothing follows the last field.
//
// CALL_ME_MAYBE 0x20, through a relay: "these are my addresses; probe me".
//    0               8        9          10           11       12
//    +---------------+--------+----------+------------+--------+----------------------------------
//    | transaction   | flags  | mapping  | filtering  | count  | count times: kind u8 |
//    | u64           | u8     | u8       | u8         | <= 16  |   address 16 | port u16be  (19)
//    +---------------+--------+----------+------------+--------+----------------------------------
//    flags: bit 0 primed: my NAT is open toward the candidates of yours that I knew
//           bit 1 reply: an answer to your call-me-maybe; answer it with probes, not with another
//    mapping: 0 unknown, 1 none, 2 EIM, 3 ADM, 4 APDM     filtering: 0 unknown, 1 none, 2 EIF,
//    3 ADF, 4 APDF (RFC 4787)           kind: 0 host, 1 server-reflexive, 2 mapped, 3 public
//
// PROBE 0x21: does this path work, and for how large a packet?
//    0               8               12       13
//    +---------------+---------------+--------+--------------------------------
//    | transaction   | sequence u32  | flags  | zeros: padding, to test the MTU, and so that
//    | u64, random   |               | u8     | no answer is larger than its probe
//    +---------------+---------------+--------+--------------------------------
//    flags: bit 0 nominate: what I send you comes over this path from now on
//
// PROBE_ANSWER 0x22, to where the probe came from, over the path that it came by.
//    0               8               12            28         30                     32
//    +---------------+---------------+-------------+----------+----------------------+
//    | transaction   | sequence u32  | address 16  | port     | received size u16,   |
//    | of the probe  | of the probe  | observed    | observed | bytes of its datagram|
//    +---------------+---------------+-------------+----------+----------------------+
//
// Never allocates, but for the candidates of a call-me-maybe.
#pragma once
#include <ginnel/result.h>

#include "base/bytes.h"
#include "proto/path/candidate.h"
#include "proto/path/drop.h"
#include "proto/stun/nat_class.h"

namespace ginnel::path {

enum class FrameType : std::uint8_t { kCallMeMaybe = 0x20, kProbe = 0x21, kProbeAnswer = 0x22 };
inline constexpr std::size_t kFrameHeaderBytes = 3;

struct CallMeMaybe {
  static constexpr FrameType kType = FrameType::kCallMeMaybe;
  std::uint64_t transaction = 0;
  bool primed = false;
  bool reply = false;
  stun::NatClass nat;
  std::vector<Candidate> candidates;  // at most kCandidatesMax

  // Errors: kTooShort, kTrailing, kBadField, kTooMany.
  static Result<CallMeMaybe, Drop> parse(ConstBytes body);
  // Bytes written; 0: no room, or too many candidates.
  std::size_t write(Bytes out) const;
  friend bool operator==(const CallMeMaybe&, const CallMeMaybe&) = default;
};

struct Probe {
  static constexpr FrameType kType = FrameType::kProbe;
  static constexpr std::size_t kFixedBytes = 13;
  std::uint64_t transaction = 0;
  std::uint32_t sequence = 0;
  bool nominate = false;
  std::size_t padding = 0;  // bytes after the fixed ones

  // Errors: kTooShort, kBadField.
  static Result<Probe, Drop> parse(ConstBytes body);
  std::size_t write(Bytes out) const;  // 0: no room
  friend bool operator==(const Probe&, const Probe&) = default;
};

struct ProbeAnswer {
  static constexpr FrameType kType = FrameType::kProbeAnswer;
  static constexpr std::size_t kBytes = 32;
  std::uint64_t transaction = 0;
  std::uint32_t sequence = 0;
  Endpoint observed;  // all zero over a relay
  std::uint16_t received_bytes = 0;

  // Errors: kTooShort, kTrailing.
  static Result<ProbeAnswer, Drop> parse(ConstBytes body);
  std::size_t write(Bytes out) const;  // 0: no room
  friend bool operator==(const ProbeAnswer&, const ProbeAnswer&) = default;
};

// With its frame header, ready to be sealed. 0: no room.
template <class Body>
std::size_t write_frame(const Body& body, Bytes out);
extern template std::size_t write_frame(const CallMeMaybe&, Bytes);
extern template std::size_t write_frame(const Probe&, Bytes);
extern template std::size_t write_frame(const ProbeAnswer&, Bytes);

}  // namespace ginnel::path
