// The messages of hashicorp/memberlist (0.2.2, and HEAD of 2026-07): a type byte, then a msgpack map
// with Go's field names as keys.
//
//   ByteVector out;
//   write(Ping{.seq = seq, .node = "b"}, out);              // appends
//   auto ping = Ping::parse(ConstBytes(out).subspan(1));    // without the type byte
//
//    0      1
//    +------+------------------------------------------------------------+
//    | type | msgpack map: key, value, ... with keys in bytewise order   |   then, for kPushPull and
//    +------+------------------------------------------------------------+   kUser, a raw tail
//
// Texts and spans are borrowed: from the message parsed, or from whoever writes. A span with
// data() == nullptr is Go's nil slice, which has a form of its own on the wire. Bytes behind the map
// are ignored, as Go does.
#pragma once
#include <ginnel/result.h>

#include "base/address.h"
#include "base/strong_int.h"
#include "proto/swim/drop.h"
#include "proto/swim/vsn.h"

namespace ginnel::swim {

using Incarnation = StrongInt<struct IncarnationTag, std::uint32_t>;  // SWIM section 4.2
using SequenceNumber = StrongInt<struct SequenceNumberTag, std::uint32_t>;

enum class MessageType : std::uint8_t {
  kPing = 0,
  kIndirectPing = 1,
  kAck = 2,
  kSuspect = 3,
  kAlive = 4,
  kDead = 5,
  kPushPull = 6,  // streams only
  kCompound = 7,  // datagrams only
  kUser = 8,
  kCompress = 9,
  kEncrypt = 10,  // streams only
  kNack = 11,
  kHasCrc = 12,  // datagrams only, outermost
  kError = 13,   // streams only
  kHasLabel = 244,
};

// `node` is the intended receiver; empty: whoever it reaches. The source is where the sender wants
// its answer; absent (unspecified, 0) from old senders.
struct Ping {
  SequenceNumber seq;
  std::string_view node;
  Endpoint source;
  std::string_view source_node;
  static Result<Ping, Drop> parse(ConstBytes body);
};

// "Please ping `target` for me, and tell me."
struct IndirectPing {
  SequenceNumber seq;
  Endpoint target;  // port 0: the receiver's own
  std::string_view node;
  bool nack = false;  // the sender understands kNack
  Endpoint source;
  std::string_view source_node;
  static Result<IndirectPing, Drop> parse(ConstBytes body);
};

struct Ack {
  SequenceNumber seq;
  ConstBytes payload;  // the application's; serf: a network coordinate
  static Result<Ack, Drop> parse(ConstBytes body);
};

struct Nack {
  SequenceNumber seq;
  static Result<Nack, Drop> parse(ConstBytes body);
};

// The answer to a stream that could not be read.
struct ErrorReply {
  std::string_view text;
  static Result<ErrorReply, Drop> parse(ConstBytes body);
};

struct Suspect {
  Incarnation incarnation;
  std::string_view node;
  std::string_view from;
  static Result<Suspect, Drop> parse(ConstBytes body);
};

struct Alive {
  Incarnation incarnation;
  std::string_view node;
  Endpoint endpoint;  // unspecified address: what came was neither 4 nor 16 bytes
  ConstBytes meta;
  Vsn vsn = kNoVsn;
  static Result<Alive, Drop> parse(ConstBytes body);
};

// `from` == `node`: it left by itself.
struct Dead {
  Incarnation incarnation;
  std::string_view node;
  std::string_view from;
  bool is_leave() const { return node == from; }
  static Result<Dead, Drop> parse(ConstBytes body);
};

// Each appends the whole message, type byte first.
void write(const Ping& message, ByteVector& out);
void write(const IndirectPing& message, ByteVector& out);
void write(const Ack& message, ByteVector& out);
void write(const Nack& message, ByteVector& out);
void write(const ErrorReply& message, ByteVector& out);
void write(const Suspect& message, ByteVector& out);
void write(const Alive& message, ByteVector& out);
void write(const Dead& message, ByteVector& out);

template <class Message>
ByteVector encode(const Message& message) {
  ByteVector out;
  write(message, out);
  return out;
}

}  // namespace ginnel::swim
