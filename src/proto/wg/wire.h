// The four messages of WireGuard (the WireGuard paper, section 5.4) and nothing about their
// meaning.
//
//   const auto type = message_type(datagram);            // or why it is none
//   const auto initiation = Initiation::parse(datagram);
//
// Integers are little-endian. mac1 and mac2 stand at the end of the two handshake messages and are
// written by CookieJar, checked by CookieChecker (cookie.h). Never allocates.
#pragma once
#include <ginnel/result.h>

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/strong_int.h"
#include "crypto/aead.h"
#include "crypto/keys.h"
#include "proto/wg/timestamp.h"

namespace ginnel::wg {

using ReceiverIndex = StrongInt<struct ReceiverIndexTag, std::uint32_t>;  // section 5.4.2
using PeerHandle = StrongInt<struct PeerHandleTag, std::uint32_t>;  // of one Device; never reused

// Why a datagram was not taken; one counter each. None of them changes state but where it is said.
enum class Drop : std::uint8_t {
  kUnknownType,        // the first four bytes are no 1..4
  kWrongSize,          // not the exact size of its type
  kWrongMac1,          // not for our key, or damaged: silence
  kCookieDemanded,     // under load: a cookie reply was queued
  kRateLimited,        // under load, right cookie, but too many from this source
  kUnknownReceiver,    // no handshake or key pair has this index
  kNotAuthentic,       // an AEAD did not open
  kWeakKey,            // a Diffie-Hellman result was all zero
  kOwnKey,             // an initiation with our own static key: a reflection
  kUnknownInitiator,   // not a peer: UnknownInitiator was raised
  kTooManyUnknown,     // not a peer, and kProvisionalMax are waiting
  kReplayedTimestamp,  // not newer than the newest initiation accepted of this peer
  kFlood,              // sooner than 20 ms after this peer's last initiation
  kExpired,            // the key pair is older than REJECT_AFTER_TIME
  kCounterTooHigh,     // at or past REJECT_AFTER_MESSAGES
  kReplayed,           // this counter was accepted before, or is behind the window
  kCount,
};

enum class MessageType : std::uint8_t { kInitiation = 1, kResponse, kCookieReply, kData };

inline constexpr std::size_t kInitiationBytes = 148;
inline constexpr std::size_t kResponseBytes = 92;
inline constexpr std::size_t kCookieReplyBytes = 64;
inline constexpr std::size_t kDataHeaderBytes = 16;
inline constexpr std::size_t kDataOverheadBytes = kDataHeaderBytes + crypto::kTagBytes;
inline constexpr std::size_t kCookieBytes = 16;
inline constexpr std::size_t kMacsBytes = 32;  // mac1 and mac2
using Cookie = std::array<std::byte, kCookieBytes>;

// The type of a datagram whose size fits it. Errors: kUnknownType, kWrongSize.
Result<MessageType, Drop> message_type(ConstBytes datagram);

// Handshake initiation (section 5.4.2), 148 bytes:
//   0 type=1 | 4 sender | 8 ephemeral[32] | 40 static[32+16] | 88 timestamp[12+16] | 116 mac1[16]
//   | 132 mac2[16]
struct Initiation {
  ReceiverIndex sender;
  crypto::SessionPublic ephemeral;
  std::array<std::byte, crypto::kKeyBytes + crypto::kTagBytes> sealed_static{};
  std::array<std::byte, kTimestampBytes + crypto::kTagBytes> sealed_timestamp{};

  // Errors: kUnknownType, kWrongSize.
  static Result<Initiation, Drop> parse(ConstBytes bytes);
  // Both MACs zero. Returns kInitiationBytes, or 0 when `out` is too small.
  std::size_t write(Bytes out) const;
};

// Handshake response (section 5.4.3), 92 bytes:
//   0 type=2 | 4 sender | 8 receiver | 12 ephemeral[32] | 44 empty[0+16] | 60 mac1[16] | 76
//   mac2[16]
struct Response {
  ReceiverIndex sender;
  ReceiverIndex receiver;
  crypto::SessionPublic ephemeral;
  std::array<std::byte, crypto::kTagBytes> sealed_empty{};

  static Result<Response, Drop> parse(ConstBytes bytes);
  std::size_t write(Bytes out) const;
};

// Cookie reply (section 5.4.7), 64 bytes:
//   0 type=3 | 4 receiver | 8 nonce[24] | 32 cookie[16+16]
struct CookieReply {
  ReceiverIndex receiver;
  crypto::XNonce nonce{};
  std::array<std::byte, kCookieBytes + crypto::kTagBytes> sealed_cookie{};

  static Result<CookieReply, Drop> parse(ConstBytes bytes);
  std::size_t write(Bytes out) const;
};

// Transport data (section 5.4.6), 32 + n bytes; n = 0 is a keepalive:
//   0 type=4 | 4 receiver | 8 counter u64 | 16 ciphertext[n] | 16+n tag[16]
struct DataHeader {
  ReceiverIndex receiver;
  std::uint64_t counter = 0;

  static Result<DataHeader, Drop> parse(ConstBytes bytes);
  std::size_t write(Bytes out) const;
};

}  // namespace ginnel::wg
