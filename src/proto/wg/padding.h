// Padding of data messages (the WireGuard paper, section 5.4.6): it hides the exact length of the
// inner packet and is cut off by the length in the inner IP header.
#pragma once
#include "base/bytes.h"
#include "proto/wg/wire.h"

namespace ginnel::wg {

inline constexpr std::size_t kPaddingMultiple = 16;

// The plaintext size of a packet of `size` bytes: the next multiple of 16, but never past the MTU
// (wireguard-go calculatePaddingSize), so that a full-size packet stays as it is.
constexpr std::size_t padded_size(std::size_t size, std::size_t mtu_bytes) {
  const std::size_t rounded = (size + kPaddingMultiple - 1) / kPaddingMultiple * kPaddingMultiple;
  if (size >= mtu_bytes) return size;
  return rounded < mtu_bytes ? rounded : mtu_bytes;
}

// The inner IP packet without its padding: IPv4 total length, IPv6 payload length + 40.
// Errors: kUnknownType (neither IPv4 nor IPv6), kWrongSize (shorter than its header says).
Result<Bytes, Drop> without_padding(Bytes plaintext);

}  // namespace ginnel::wg
