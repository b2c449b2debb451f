// How a session opens and closes: HELLO, REFUSED, GOODBYE (docs/wire/ginnel.md section 6).
//
// HELLO is the first inner frame both ways. Unlike all others it may be longer than we know: later
// versions add fields at its end.
//
//     0  version min u8     1  version max u8     2  flags u16le
//     4  features u64le    12  epoch u64le       20  chain blob16
#pragma once
#include <ginnel/result.h>

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "proto/control/frame.h"

namespace ginnel::control {

inline constexpr std::uint8_t kWireVersion = 1;

// Borrows from the frame it was parsed from.
struct Hello {
  static constexpr FrameType kType = FrameType::kHello;

  std::uint8_t version_min = kWireVersion;
  std::uint8_t version_max = kWireVersion;
  bool holds_your_certificate = false;  // the sender has accepted the receiver's certificate
  bool wants_answer = false;  // the sender has no HELLO yet that says the same of its certificate
  std::uint64_t features = 0;
  std::uint64_t epoch = 0;
  // One of: a chain, the hash of the leaf that the receiver holds, or neither (a node that joins).
  ConstBytes chain;
  std::optional<crypto::Digest> leaf_hash;

  bool has_certificate() const { return !chain.empty() || leaf_hash.has_value(); }
};
// Errors: kBadField (flags that contradict the chain; version min above max).
Result<Hello, Drop> parse_hello(ConstBytes body);
void encode(const Hello& hello, Writer& w);

// What two nodes speak with each other. nullopt: nothing in common (RefusedCode::kVersion).
struct Negotiated {
  std::uint8_t version = 0;
  std::uint64_t features = 0;  // of both
};
std::optional<Negotiated> negotiate(const Hello& mine, const Hello& theirs);

enum class RefusedCode : std::uint16_t {
  kVersion = 1,
  kWrongNetwork = 2,
  kCertificateInvalid = 3,
  kCertificateExpired = 4,  // or not yet valid
  kRevoked = 5,
  kStaleEpoch = 6,
  kMalformed = 7,
  kTokenInvalid = 8,
  kTokenUsed = 9,
  kTokenExpired = 10,
  kTokenWithdrawn = 11,
  kNameTaken = 12,
  kNotAllowed = 13,
  kNotAHub = 14,
  kBusy = 15,
  kInternal = 16,
  kAddressTaken = 17,  // the overlay address belongs to another Id
};

// The receiver will not go on. Codes that we do not know are kept as they are: the text is there.
struct Refused {
  static constexpr FrameType kType = FrameType::kRefused;

  FrameType of = FrameType::kPadding;  // the frame that is refused
  RefusedCode code = RefusedCode::kInternal;
  std::string_view text;  // for people; printable ASCII
};
Result<Refused, Drop> parse_refused(ConstBytes body);
void encode(const Refused& refused, Writer& w);

// A graceful end.
struct Goodbye {
  static constexpr FrameType kType = FrameType::kGoodbye;
  enum class Reason : std::uint8_t { kLeaves = 0, kRestarts = 1 };

  Reason reason = Reason::kLeaves;
  std::uint32_t return_ms = 0;  // when it expects to be back; 0: unknown
};
Result<Goodbye, Drop> parse_goodbye(ConstBytes body);
void encode(const Goodbye& goodbye, Writer& w);

}  // namespace ginnel::control
