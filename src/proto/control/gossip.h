// GOSSIP: what members of the network's gossip cluster say to each other, inside a session
// (docs/wire/ginnel.md section 15). It is no use of the session: no path is sought or kept for it.
//
//     0  kind u8      1  by kind:
//
//     0 nothing       empty: this session was made for gossip alone
//     1 datagram      a memberlist datagram
//     2 lane          as the body of KCP; the gossip streams' own lanes
//     3 lane back     as the body of KCP_BACK
//     4 forward       address 16 (whom a hub shall pass it to), a memberlist datagram
//     5 forwarded     address 16 (who sent it), a memberlist datagram
//
// Never allocates; borrows from the frame.
#pragma once
#include <ginnel/result.h>

#include "base/address.h"
#include "proto/control/frame.h"

namespace ginnel::control {

struct Gossip {
  static constexpr FrameType kType = FrameType::kGossip;
  enum class Kind : std::uint8_t {
    kNothing = 0,
    kDatagram = 1,
    kLane = 2,
    kLaneBack = 3,
    kForward = 4,
    kForwarded = 5,
  };

  Kind kind = Kind::kNothing;
  Address address;  // of kForward and kForwarded
  ConstBytes data;

  bool has_address() const { return kind == Kind::kForward || kind == Kind::kForwarded; }
};
// What stands in front of `data`, the frame's own header included.
inline constexpr std::size_t kGossipOverheadBytes = kFrameHeaderBytes + 1 + 16;

// Errors: kTooShort, kBadField (an unknown kind), kTrailing (after kNothing).
Result<Gossip, Drop> parse_gossip(ConstBytes body);
void encode(const Gossip& gossip, Writer& w);

}  // namespace ginnel::control
