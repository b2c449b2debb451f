// Why bytes from the network were not taken: one counter each. None of them changes state.
#pragma once
#include <cstdint>
#include <string_view>

namespace ginnel::swim {

enum class Drop : std::uint8_t {
  kTooShort,         // ends before its own lengths say it does; of a stream: more may come
  kMalformed,        // not the msgpack that memberlist writes, or a value outside its type
  kEmpty,            // a message of no bytes, which would end memberlist 0.2.2
  kUnknownType,      // a message type that does not exist, or not on this transport
  kNested,           // frames within frames beyond kNestingMax
  kTooLarge,         // beyond a limit of limits.h
  kBadCrc,           // damaged on the way
  kBadCompression,   // not LZW, or another algorithm
  kWrongLabel,       // another cluster's label, or none where one is needed, or the reverse
  kNotEncrypted,     // plain text where the key ring demands encryption
  kUnexpectedCipher, // encrypted, and we have no keys
  kWrongKey,         // no key of the ring opens it
  kBadVersion,       // an encryption version above 1, or protocol numbers that make no sense
  kBadAddress,       // neither IPv4 nor IPv6, or outside the allowed ranges
  kNotForUs,         // a ping for another name
  kUnknownMember,    // about a name that we do not know
  kUnmatched,        // an answer to nothing that we asked
  kQueueFull,        // a bounded queue has no room
  kTableFull,        // more members than `members_max`
  kNotAdmitted,      // a name at an address that the neighbourhood does not allow
  kCount,
};

std::string_view name_of(Drop drop);

}  // namespace ginnel::swim
