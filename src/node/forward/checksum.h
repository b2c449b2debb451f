// The Internet checksum (RFC 1071): ones'-complement sums of the 16-bit words of a packet.
//
//   ChecksumSum sum;
//   sum.add(header);                  // any number of spans; each but the last of even size
//   store_checksum(packet, 10, sum.complement());
//
// Sums are kept in network byte order throughout (RFC 1071 section 2 B: the sum does not care), so
// no word is ever swapped. Never allocates.
#pragma once
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace ginnel::forward {

// A 16-bit sum or checksum as its two bytes stand in memory.
using RawChecksum = std::uint16_t;

class ChecksumSum {
 public:
  void add(ConstBytes bytes);
  // One 16-bit word, given in host order.
  void add_word(std::uint16_t value) {
    const std::array<std::uint8_t, 2> bytes{static_cast<std::uint8_t>(value >> 8),
                                            static_cast<std::uint8_t>(value)};
    add_raw(load(bytes));
  }
  // A sum made elsewhere.
  void add_raw(RawChecksum raw) { add64(raw); }
  // RFC 1624: takes a word out again, which is adding its complement.
  void subtract_word(std::uint16_t value) { add_word(static_cast<std::uint16_t>(~value)); }

  // Folded to 16 bits.
  RawChecksum sum() const;
  // What a header field holds.
  RawChecksum complement() const { return static_cast<RawChecksum>(~sum()); }

 private:
  static RawChecksum load(const std::array<std::uint8_t, 2>& bytes) {
    RawChecksum out;
    std::memcpy(&out, bytes.data(), sizeof out);
    return out;
  }
  // With end-around carry: 2^64 = 1 modulo 2^16 - 1.
  void add64(std::uint64_t value) {
    sum_ += value;
    if (sum_ < value) ++sum_;
  }

  std::uint64_t sum_ = 0;
};

inline RawChecksum checksum_at(ConstBytes bytes, std::size_t offset) {
  RawChecksum out;
  std::memcpy(&out, bytes.subspan(offset, sizeof out).data(), sizeof out);
  return out;
}
inline void store_checksum(Bytes bytes, std::size_t offset, RawChecksum checksum) {
  std::memcpy(bytes.subspan(offset, sizeof checksum).data(), &checksum, sizeof checksum);
}

// Of TCP, UDP (RFC 9293 section 3.1, RFC 768) and ICMPv6 (RFC 8200 section 8.1). `addresses` are
// source and destination as they stand in the IP header: 8 or 32 bytes.
ChecksumSum pseudo_header(ConstBytes addresses, std::uint8_t protocol, std::size_t length);

}  // namespace ginnel::forward
