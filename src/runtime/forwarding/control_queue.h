// From a forwarding thread to the control thread: items that own their bytes, in a bounded ring
// with a wake-up per batch.
//
// One pushing thread and one popping thread. Allocates in the constructor only.
#pragma once
#include <array>
#include <atomic>
#include <optional>

#include "base/spsc_ring.h"
#include "io/udp_batch.h"
#include "io/wakeup.h"
#include "node/forward/receiver.h"

namespace ginnel::forwarding {

// Handshakes, frames and the packets of a path are shorter; longer ones are dropped and counted.
inline constexpr std::size_t kItemBytesMax = 2048;

struct ControlItem {
  enum class Kind : std::uint8_t {
    kReceived,    // `told`, of the receiving thread. kUnknownIndex: inject() it again once a table
                  // with that index is published
    kTunPacket,   // an inner packet for a destination that is slow or has no key pair
    kDeviceGone,  // no bytes: the TUN device was deleted; told once
    kSendFailed,  // no bytes: `failure`
  };
  Kind kind = Kind::kReceived;
  forward::ToControl told;  // its bytes are stored here: received()
  io::SendFailure failure;
  std::size_t size = 0;
  std::array<std::byte, kItemBytesMax> storage;  // uninitialised past `size`

  Bytes bytes() { return Bytes(storage).first(size); }
  // Borrows this item's bytes.
  forward::ToControl received() {
    forward::ToControl out = told;
    out.bytes = bytes();
    return out;
  }
};

class ControlQueue {
 public:
  // `wakeup` outlives the queue.
  ControlQueue(std::size_t items_max, const io::Wakeup& wakeup)
      : ring_(items_max), wakeup_(wakeup) {}

  // The pushing thread's. Fills item.size and the bytes; what does not fit is counted as dropped.
  // What nobody has authenticated leaves a quarter of the places free: a flood of handshakes does
  // not crowd out that a key pair is confirmed, which is told once.
  bool push(ControlItem& item, ConstBytes bytes) {
    if (bytes.size() > kItemBytesMax) return drop();
    using Told = forward::ToControl::Kind;
    const bool from_anybody =
        item.kind == ControlItem::Kind::kReceived &&
        (item.told.kind == Told::kDatagram || item.told.kind == Told::kUnknownIndex);
    if (from_anybody && ring_.room() <= ring_.capacity() / 4) return drop();
    item.size = bytes.size();
    forward::copy_bytes(bytes, item.storage);
    if (!ring_.push(std::move(item))) return drop();
    pushed_ = true;
    return true;
  }
  // After each batch.
  void wake() {
    if (pushed_) wakeup_.notify();
    pushed_ = false;
  }

  // The control thread's.
  std::optional<ControlItem> pop() { return ring_.pop(); }
  // Any thread's.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  bool drop() {
    dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return false;
  }

  SpscRing<ControlItem> ring_;
  const io::Wakeup& wakeup_;
  bool pushed_ = false;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace ginnel::forwarding
