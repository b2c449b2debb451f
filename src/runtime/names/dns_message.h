// The few messages of DNS that a node's own resolver needs (RFC 1035 section 4): a question, and an
// answer of addresses.
//
//   const auto query = parse_query(datagram);
//   if (!query) return;                        // no question of the kind that is answered at all
//   const std::size_t size = write_answer(*query, {.addresses = found}, out);
//
// Pure; parse_query allocates the name.
#pragma once
#include <ginnel/result.h>

#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace ginnel::dns {

// RFC 1035 section 2.3.4: "UDP messages: 512 octets or less", which holds for those who ask without
// EDNS; nothing here is longer.
inline constexpr std::size_t kMessageBytesMax = 512;
// RFC 1035 section 2.3.4, in the wire's form with lengths and the root.
inline constexpr std::size_t kNameBytesMax = 255;

// RFC 1035 section 3.2.2, RFC 3596 section 2.1; other numbers occur.
enum class Type : std::uint16_t { kA = 1, kAaaa = 28, kAny = 255 };
// RFC 1035 section 4.1.1.
enum class Rcode : std::uint8_t {
  kNone = 0,
  kFormat = 1,          // the question cannot be read
  kNoName = 3,          // nobody has this name (NXDOMAIN)
  kNotImplemented = 4,  // another operation than a query
  kRefused = 5,         // not a name of ours: ask another server
};

enum class Drop : std::uint8_t {
  kTooShort,   // no header
  kNotAQuery,  // a response: answering those makes loops
};

struct Query {
  std::uint16_t id = 0;
  std::uint8_t opcode = 0;
  bool recursion_desired = false;
  Rcode trouble = Rcode::kNone;  // what the answer must say, whatever the name is
  std::string name;              // lower case, labels joined by dots, no dot at the end
  std::uint16_t type = 0;
  std::uint16_t query_class = 0;
  ByteVector question;  // as it came, to be repeated; empty: it could not be read
};

// Reads the header and the first question. What follows it (EDNS) is not looked at. A question that
// cannot be read is no Drop: its answer is FORMERR.
Result<Query, Drop> parse_query(ConstBytes bytes);

struct Answer {
  Rcode rcode = Rcode::kNone;
  std::uint32_t ttl_seconds = 0;
  std::vector<Address> addresses;  // those of the question's type; what does not fit is cut (TC)
};
// Returns the size, at most kMessageBytesMax; `out` has room for that.
std::size_t write_answer(const Query& query, const Answer& answer, Bytes out);

}  // namespace ginnel::dns
