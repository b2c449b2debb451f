// Sealed datagrams on their way to the socket: one buffer, cut into messages, each of them one
// send to one destination, whose datagrams are equally long but for the last (UDP_SEGMENT).
//
//   const Bytes slot = batch.claim(to, size);    // empty: full; send, clear() and come again
//   for (const SealedMessage& m : batch.messages()) …
//
// Allocates in its constructor only.
#pragma once
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace ginnel::forward {

// linux/udp.h UDP_MAX_SEGMENTS before 6.9.
inline constexpr std::size_t kSegmentsMax = 64;
// With IPv6, UDP and Ethernet headers below 65536 bytes: what is not, the kernel splits in software
// before the device sees it (linux net/core/dev.c gso_features_check), though it takes up to 65507.
// A super packet of 64 KiB from TUN would just be too long.
inline constexpr std::size_t kMessageBytesMax = 65'400;

struct SealedMessage {
  Endpoint to;
  Address source;  // unspecified: the kernel chooses
  Bytes bytes;
  std::size_t segment_size = 0;  // of each datagram but the last
  std::size_t segments = 0;
};

class SealedBatch {
 public:
  static constexpr std::size_t kBytes = 4 * kMessageBytesMax;
  static constexpr std::size_t kMessages = 64;

  explicit SealedBatch(std::size_t bytes = kBytes, std::size_t messages = kMessages)
      : buffer_(bytes), messages_max_(messages) {
    messages_.reserve(messages);
  }

  // Room for one datagram of `size` bytes, 1..kMessageBytesMax, which the caller fills. It joins
  // the last message when it can.
  Bytes claim(const Endpoint& to, const Address& source, std::size_t size) {
    if (size > buffer_.size() - used_) return {};
    const Bytes slot = Bytes(buffer_).subspan(used_, size);
    if (!messages_.empty() && can_join(messages_.back(), to, source, size)) {
      SealedMessage& last = messages_.back();
      last.bytes = Bytes(last.bytes.data(), last.bytes.size() + size);
      ++last.segments;
    } else if (messages_.size() < messages_max_) {
      messages_.push_back({to, source, slot, size, 1});
    } else {
      return {};
    }
    used_ += size;
    return slot;
  }
  // How many datagrams of `size` bytes certainly fit.
  std::size_t room_for(std::size_t size) const {
    const std::size_t per_message = std::min(kSegmentsMax, kMessageBytesMax / size);
    const std::size_t by_messages = (messages_max_ - messages_.size()) * per_message;
    return std::min(by_messages, (buffer_.size() - used_) / size);
  }

  std::span<const SealedMessage> messages() const { return messages_; }
  std::size_t bytes() const { return used_; }
  bool empty() const { return messages_.empty(); }
  void clear() {
    messages_.clear();
    used_ = 0;
  }

 private:
  static bool can_join(const SealedMessage& last, const Endpoint& to, const Address& source,
                       std::size_t size) {
    return size <= last.segment_size && last.bytes.size() == last.segments * last.segment_size &&
           last.segments < kSegmentsMax && last.bytes.size() + size <= kMessageBytesMax &&
           last.to == to && last.source == source;
  }

  ByteVector buffer_;
  std::size_t messages_max_;
  std::size_t used_ = 0;  // of buffer_
  std::vector<SealedMessage> messages_;
};

}  // namespace ginnel::forward
