// Packets under way. The pool keeps its buffers, so that a long run does not allocate per packet.
#pragma once
#include <deque>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "sim/ids.h"

namespace ginnel::sim {

// Where a packet is when its event comes.
enum class Stage : std::uint8_t {
  kMedium,    // behind the sender's uplink, in the zone of `at`
  kDownlink,  // behind the pair's own link, before the downlink of `at`
  kDevice,    // behind the downlink of `at`
};

struct Packet {
  Endpoint source;
  Endpoint target;
  std::uint8_t ttl = 64;
  std::uint8_t ecn = 0;
  Stage stage = Stage::kMedium;
  AttachmentId at;
  ByteVector bytes;  // the UDP payload

  std::size_t ip_bytes() const {
    constexpr std::size_t kUdpHeader = 8;
    return bytes.size() + kUdpHeader + (target.address.is_v4() ? 20 : 40);
  }
};

class PacketPool {
 public:
  // Packets under way at once; a new one past it is dropped and counted.
  static constexpr std::uint32_t kPacketsMax = 1 << 18;

  std::optional<std::uint32_t> take() {
    if (!free_.empty()) {
      const std::uint32_t index = free_.back();
      free_.pop_back();
      return index;
    }
    if (packets_.size() == kPacketsMax) return std::nullopt;
    packets_.emplace_back();
    return static_cast<std::uint32_t>(packets_.size() - 1);
  }
  void release(std::uint32_t index) { free_.push_back(index); }
  // The reference holds until the packet is released.
  Packet& operator[](std::uint32_t index) { return packets_[index]; }
  std::size_t in_use() const { return packets_.size() - free_.size(); }

 private:
  std::deque<Packet> packets_;
  std::vector<std::uint32_t> free_;
};

}  // namespace ginnel::sim
