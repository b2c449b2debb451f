// The KCP segment as it stands in a datagram. Several may follow each other.
//
//    0      4   5   6     8      12     16     20     24
//   +------+---+---+-----+------+------+------+------+---------+
//   | conv |cmd|frg| wnd |  ts  |  sn  | una  | len  | payload |   all little-endian
//   +------+---+---+-----+------+------+------+------+---------+
//
// Source: skywind3000/kcp ikcp.c, ikcp_encode_seg and ikcp_input, at fbd716b.
#pragma once
#include <cstdint>

#include <ginnel/result.h>

#include "base/reader.h"
#include "base/strong_int.h"
#include "base/writer.h"

namespace ginnel::kcp {

using Conv = StrongInt<struct ConvTag, std::uint32_t>;        // both ends use the same one
using Sn = SerialNumber<struct SnTag, std::uint32_t>;         // segment number, from 0
using Timestamp = SerialNumber<struct TsTag, std::uint32_t>;  // milliseconds; wraps in 49.7 days

inline constexpr std::size_t kHeaderBytes = 24;

enum class Cmd : std::uint8_t {
  kPush = 81,  // data
  kAck = 82,   // sn arrived; ts is its echo
  kWask = 83,  // asks for the window
  kWins = 84,  // tells it
};

// Why a segment was not taken. None of them changes the state of the conversation.
enum class Drop : std::uint8_t {
  kTooShort,          // the datagram is no segment; nothing of it was used
  kForeignConv,       // another conversation's; the rest of the datagram is not looked at
  kUnknownCmd,        // likewise
  kTruncated,         // len points past the datagram; likewise
  kNeverSent,         // una or an ACK names an sn that was never sent; this segment is skipped
  kOutOfWindow,       // sn lies past the receive window; skipped, not acknowledged
  kNoRoom,            // the receive buffer is full of bytes; skipped, not acknowledged
  kTooManyFragments,  // a message longer than the receive window; skipped, not acknowledged
  kCount,
};

struct Segment {
  Conv conv;
  Cmd cmd = Cmd::kPush;
  std::uint8_t frg = 0;   // fragments of this message still to come; 0 in a stream
  std::uint16_t wnd = 0;  // the sender's free receive window, segments
  Timestamp ts;           // PUSH: when this transmission left; ACK: echo; else no meaning
  Sn sn;                  // PUSH and ACK; else no meaning
  Sn una;                 // every sn < una was received in order
  ConstBytes payload;     // borrowed from the datagram
};

// Takes the next segment. At least kHeaderBytes must remain, else kTooShort. What `reader` holds
// after a Drop is unspecified: the rest of the datagram cannot be trusted.
Result<Segment, Drop> parse_segment(Reader& reader);

// Writes the header for `len` bytes of payload, which the caller appends.
void write_header(Writer& writer, const Segment& segment, std::size_t len);

}  // namespace ginnel::kcp
