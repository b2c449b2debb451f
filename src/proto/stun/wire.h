// STUN Binding messages: RFC 8489, and the older form without magic cookie (RFC 3489) that
// Debian's stun-client still sends.
//
//   const auto request = Message::parse(datagram);       // or why it is none
//   size = request->answer().write(out);                  // 0: no room
//
//    0               2               4
//    +---------------+---------------+-------------------------------+
//    | type u16      | length u16    | magic cookie 0x2112a442       |   all big-endian
//    +---------------+---------------+-------------------------------+
//    | transaction id, 12 bytes (RFC 3489: 16, in place of the cookie too)
//    +---------------------------------------------------------------+
//    | attribute type u16 | length u16 | value, padded to 4 bytes    | ...
//    +---------------------------------------------------------------+
//
// Views (software, reason, certificate) are borrowed from the datagram. Never allocates.
#pragma once
#include <ginnel/result.h>

#include <array>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"
#include "base/instant.h"

namespace ginnel::stun {

inline constexpr std::size_t kHeaderBytes = 20;
inline constexpr std::uint32_t kMagicCookie = 0x2112a442;  // RFC 8489 section 5
inline constexpr std::uint16_t kBindingRequest = 0x0001;
inline constexpr std::uint16_t kBindingResponse = 0x0101;
inline constexpr std::uint16_t kBindingError = 0x0111;

// Why a datagram was not taken or not answered; one counter each. None changes state but
// kRateLimited.
enum class Drop : std::uint8_t {
  kTooShort,        // ends before the header does, or within an attribute
  kNotStun,         // the first two bits, or the length, are not STUN's
  kBadAttribute,    // an attribute whose value its definition forbids
  kBadFingerprint,  // damaged on the way, or not STUN after all
  kNotRequest,      // nothing that a server answers
  kUnanswerable,    // asks for an answer from an address that we do not have
  kTooSmall,        // an answer would be more than 1.4 times the request
  kRateLimited,     // too many from this network
  kCount,
};

enum class Attribute : std::uint16_t {
  kMappedAddress = 0x0001,
  kChangeRequest = 0x0003,   // RFC 5780 section 7.2
  kSourceAddress = 0x0004,   // RFC 3489 section 11.2.5
  kChangedAddress = 0x0005,  // RFC 3489 section 11.2.3
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000a,
  kXorMappedAddress = 0x0020,
  kPadding = 0x0026,  // RFC 5780 section 7.6
  kSoftware = 0x8022,
  kFingerprint = 0x8028,
  kResponseOrigin = 0x802b,  // RFC 5780 section 7.3
  kOtherAddress = 0x802c,    // RFC 5780 section 7.4
  kGinnelCert = 0xc61e,      // ours; see README.md
  kGinnelTime = 0xc61f,      // likewise
};

// CHANGE-REQUEST: from where the answer shall come.
struct ChangeRequest {
  bool address = false;
  bool port = false;
  friend bool operator==(const ChangeRequest&, const ChangeRequest&) = default;
};

struct ErrorCode {
  std::uint16_t code = 0;  // 300..699
  ConstBytes reason;       // UTF-8, at most 509 bytes written
};

// GINNEL-TIME: what the clock of the one who writes it says. Empty in a request: "yours, please".
struct ClockReading {
  std::optional<Wall> wall;
  friend bool operator==(const ClockReading&, const ClockReading&) = default;
};

// A list of attribute types that were not understood; more than it holds are left out.
struct UnknownAttributes {
  static constexpr std::size_t kMax = 8;
  std::array<std::uint16_t, kMax> types{};
  std::size_t count = 0;
  void add(std::uint16_t type) {
    if (count < kMax) types[count++] = type;
  }
};

struct Message {
  std::uint16_t type = kBindingRequest;
  // Bytes 4..19 of the header. RFC 8489: the magic cookie, then 12 random bytes.
  std::array<std::uint8_t, 16> transaction{};

  std::optional<Endpoint> mapped;      // MAPPED-ADDRESS
  std::optional<Endpoint> xor_mapped;  // XOR-MAPPED-ADDRESS, already un-XORed
  std::optional<ChangeRequest> change;
  std::optional<Endpoint> origin;  // RESPONSE-ORIGIN, or SOURCE-ADDRESS in the older form
  std::optional<Endpoint> other;   // OTHER-ADDRESS, or CHANGED-ADDRESS in the older form
  std::optional<ErrorCode> error;
  std::optional<UnknownAttributes> unknown;
  std::optional<ConstBytes> software;
  std::optional<ConstBytes> certificate;  // GINNEL-CERT; in a request empty: "yours, please"
  std::optional<ClockReading> clock;      // GINNEL-TIME
  std::optional<std::size_t> padding;     // PADDING: this many zero bytes
  bool fingerprint = false;               // checked when parsed, computed when written

  // Comprehension-required attributes that the parser does not know (RFC 8489 section 6.3.1).
  // Never written.
  UnknownAttributes not_understood;

  // Of an attribute that stands twice the first counts (RFC 8489 section 14).
  // Errors: kTooShort, kNotStun, kBadAttribute, kBadFingerprint.
  static Result<Message, Drop> parse(ConstBytes datagram);
  // 0: no room; what was written to `out` then means nothing.
  std::size_t write(Bytes out) const;

  bool has_cookie() const;
  // A message of type `answer_type` to this request.
  Message answer(std::uint16_t answer_type) const;
};

// The transaction bytes of a new request: the cookie and 12 of the random bytes.
std::array<std::uint8_t, 16> make_transaction(const std::array<std::uint8_t, 12>& random);

// Whether a datagram on the common socket is STUN (docs/design.md section 6). Only hubs take
// Binding requests without cookie.
enum class Accept { kWithCookie, kOldRequestsToo };
bool is_stun(ConstBytes datagram, Accept accept = Accept::kWithCookie);

}  // namespace ginnel::stun
