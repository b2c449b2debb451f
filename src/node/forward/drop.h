// Why the forwarding plane did not carry a packet, and the counters of one forwarding thread.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace ginnel::forward {

enum class Drop : std::uint8_t {
  // From TUN or out of a session.
  kNotIp,       // neither IPv4 nor IPv6, or shorter than its header
  kBadLength,   // the header's length exceeds the bytes that are there
  kBadOffload,  // a virtio header that contradicts the packet
  kNoRoute,     // no peer has the destination
  kTooBig,      // for the path, and for two fragments
  // From the network.
  kNotAuthentic,   // an AEAD did not open, an expired pair, or a malformed data message
  kReplayed,       // the counter was accepted before
  kNotReady,       // an IP packet before both certificates are accepted; a frame of a stock peer
  kWrongSource,    // an inner source address that is not this peer's
  kUnknownInner,   // neither IP packet nor frame
  kReservedOuter,  // first byte 0x81..0xff
  kRelay,          // a relay header that was not for us, or that the hub refused
  kCount,
};

// Written by one thread, read by any.
class DropCounters {
 public:
  void count(Drop why) {
    auto& at = counts_[static_cast<std::size_t>(why)];
    at.store(at.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  std::uint64_t operator[](Drop why) const {
    return counts_[static_cast<std::size_t>(why)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Drop::kCount)> counts_{};
};

}  // namespace ginnel::forward
