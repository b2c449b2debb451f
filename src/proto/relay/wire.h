// The 16 bytes in front of a sealed packet that a hub passes on (docs/wire/ginnel.md section 4).
//
//   write_header({.source = mine, .destination = theirs}, key, packet);   // room of 16 in front
//   auto opened = open(packet, mine, key);                                // at the other node
//
//    0         1              4          5              8                        16
//    +---------+--------------+----------+--------------+------------------------+--------
//    | 0x80    | source u24le | flags u8 | dest. u24le  | tag u64le              | payload
//    +---------+--------------+----------+--------------+------------------------+--------
//
// Never allocates.
#pragma once
#include <ginnel/result.h>

#include <cstdint>

#include "base/bytes.h"
#include "base/strong_int.h"
#include "crypto/siphash.h"

namespace ginnel::relay {

inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::uint8_t kType = 0x80;
inline constexpr std::size_t kTaggedPayloadBytes = 32;  // of the payload's start, at most
// A packet is relayed once: from a node it comes with 0 hops, from a hub with 1.
inline constexpr std::uint8_t kHopsFromNode = 0;
inline constexpr std::uint8_t kHopsFromHub = 1;
inline constexpr std::uint32_t kIndexMax = 0xffffff;

// What a hub calls a node that is registered there: 1..kIndexMax; 0 is nobody.
using Index = StrongInt<struct RelayIndexTag, std::uint32_t>;

enum class Drop : std::uint8_t {
  kTooShort,            // no payload behind the header
  kBadType,             // no relay header, or reserved bits are set
  kHops,                // relayed before (at a hub), or never (at a node)
  kUnknownSource,       // nobody has this index
  kBadTag,              // made without the key
  kOverQuota,           // the source has sent more than its share
  kUnknownDestination,  // nobody has this index
  kToItself,            // destination = source
  kNotForUs,            // at a node: another one's index
  kCount,
};

struct Header {
  Index source;
  std::uint8_t hops = kHopsFromNode;
  Index destination;
  std::uint64_t tag = 0;
  friend bool operator==(const Header&, const Header&) = default;
};

inline bool is_relay(ConstBytes datagram) {
  return !datagram.empty() && datagram[0] == std::byte{kType};
}

// Errors: kTooShort, kBadType. The tag is not checked.
Result<Header, Drop> parse_header(ConstBytes packet);

// Over header bytes 0..7, the payload's length and its first 32 bytes.
std::uint64_t tag_of(ConstBytes packet, const crypto::SipKey& key);

// Fills the first 16 bytes of `packet`, whose payload already stands behind them; header.tag is
// ignored. `packet` is longer than 16 and shorter than 65536 + 16 bytes.
void write_header(const Header& header, const crypto::SipKey& key, Bytes packet);

struct Opened {
  Index source;
  Bytes payload;  // within the packet
};
// At a node: a packet that its hub forwarded.
// Errors: kTooShort, kBadType, kHops, kNotForUs, kBadTag.
Result<Opened, Drop> open(Bytes packet, Index mine, const crypto::SipKey& key);

}  // namespace ginnel::relay
