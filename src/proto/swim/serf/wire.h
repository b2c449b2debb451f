// The messages that serf carries as memberlist's user messages: a type byte, then a msgpack map with
// Go's field names, as in swim's wire.h.
//
//   ByteVector out = encode(JoinIntent{.ltime = 7, .node = "a"});
//   auto intent = JoinIntent::parse(ConstBytes(out).subspan(1));   // without the type byte
//
// Texts and spans are borrowed. Source: serf a24f620, serf/messages.go; Debian's serf 0.9.4.
#pragma once
#include <vector>

#include "base/instant.h"
#include "proto/swim/wire.h"

namespace ginnel::swim::serf {

// A Lamport time. Beyond kLtimeMax a message is malformed: no cluster counts so far, and an attacker
// could else push every clock to its end.
using Ltime = std::uint64_t;
inline constexpr Ltime kLtimeMax = Ltime{1} << 62;

enum class Type : std::uint8_t {
  kLeave = 0,
  kJoin = 1,
  kPushPull = 2,  // the user state of a push/pull
  kUserEvent = 3,
  kQuery = 4,
  kQueryResponse = 5,
  kConflictResponse = 6,  // the payload of a response
  kKeyRequest = 7,        // the payload of a query
  kKeyResponse = 8,       // the payload of a response
  kRelay = 9,
};

// "The member is alive since then", against older leave intents.
struct JoinIntent {
  Ltime ltime = 0;
  std::string_view node;
  static Result<JoinIntent, Drop> parse(ConstBytes body);
};

// "The member is about to leave", or (of a failed one) "call it left".
struct LeaveIntent {
  Ltime ltime = 0;
  std::string_view node;
  bool prune = false;  // forget it at once
  static Result<LeaveIntent, Drop> parse(ConstBytes body);
};

struct UserEvent {
  Ltime ltime = 0;
  std::string_view name;
  ConstBytes payload;
  bool coalesce = true;
  static Result<UserEvent, Drop> parse(ConstBytes body);
};

inline constexpr std::uint32_t kFlagAck = 1;          // of a query: acknowledge; of a response: is one
inline constexpr std::uint32_t kFlagNoBroadcast = 2;  // of a query: do not pass it on

// At most so many filters of a query are read; more are malformed.
inline constexpr std::size_t kFiltersMax = 64;

struct Query {
  Ltime ltime = 0;
  std::uint32_t id = 0;
  Endpoint source;  // where answers go
  std::string_view source_node;
  std::vector<ConstBytes> filters;  // filter.h; all must hold
  std::uint32_t flags = 0;
  std::uint8_t relay_factor = 0;
  Nanoseconds timeout{};
  std::string_view name;
  ConstBytes payload;
  static Result<Query, Drop> parse(ConstBytes body);
};

struct QueryResponse {
  Ltime ltime = 0;
  std::uint32_t id = 0;
  std::string_view from;
  std::uint32_t flags = 0;
  ConstBytes payload;
  bool is_ack() const { return (flags & kFlagAck) != 0; }
  static Result<QueryResponse, Drop> parse(ConstBytes body);
};

// A message for another member, to be handed on.
struct Relay {
  Endpoint to;
  ConstBytes message;  // type byte first, behind the map
  static Result<Relay, Drop> parse(ConstBytes body);
};

struct KeyRequest {
  ConstBytes key;  // raw, empty for a list
  static Result<KeyRequest, Drop> parse(ConstBytes body);
};

struct KeyResponse {
  bool result = false;
  std::string message;
  std::vector<std::string> keys;  // base64; of a list
  std::string primary_key;
  static Result<KeyResponse, Drop> parse(ConstBytes body);
};

// serf's Member, as the answer to "who holds this name?".
struct ConflictResponse {
  std::string_view name;
  Endpoint endpoint;
  std::vector<std::pair<std::string, std::string>> tags;
  Vsn vsn;
};

// Each appends the whole message, type byte first.
void write(const JoinIntent& message, ByteVector& out);
void write(const LeaveIntent& message, ByteVector& out);
void write(const UserEvent& message, ByteVector& out);
void write(const Query& message, ByteVector& out);
void write(const QueryResponse& message, ByteVector& out);
void write(const Relay& message, ByteVector& out);
void write(const KeyRequest& message, ByteVector& out);
void write(const KeyResponse& message, ByteVector& out);
void write(const ConflictResponse& message, ByteVector& out);

template <class Message>
ByteVector encode(const Message& message) {
  ByteVector out;
  write(message, out);
  return out;
}

}  // namespace ginnel::swim::serf
