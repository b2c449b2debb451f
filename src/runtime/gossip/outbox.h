// Where the member's datagrams go: slots of a send batch. Models ginnel::Outbox. A slot takes the
// largest datagram there is, so memory is only touched as far as it is used.
#pragma once
#include <memory>

#include "base/drain.h"
#include "io/udp_socket.h"
#include "proto/swim/limits.h"

namespace ginnel::gossip {

class Outbox {
 public:
  static constexpr std::size_t kSlots = 16;
  static constexpr std::size_t kSlotBytes = swim::kDatagramBytesMax + 1;

  explicit Outbox(io::UdpSocket& socket)
      : socket_(socket),
        memory_(std::make_unique_for_overwrite<std::byte[]>(kSlots * kSlotBytes)) {}

  std::span<std::byte> slot() {
    if (used_ == kSlots && !flush()) return {};
    return {memory_.get() + used_ * kSlotBytes, kSlotBytes};
  }
  void commit(const Transmit& transmit) {
    batch_.add({.to = transmit.to,
                .source = transmit.source,
                .bytes = {memory_.get() + used_ * kSlotBytes, transmit.size}});
    ++used_;
    ++sent_;
    sent_bytes_ += transmit.size;
  }
  // True: everything is out. False: the socket is full; call again when it is writable.
  bool flush() {
    if (!batch_.empty()) {
      const io::SendReport report = socket_.send(batch_);
      failed_ += report.failures.size();
      if (report.would_block) return false;
    }
    used_ = 0;
    return true;
  }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t sent_bytes() const { return sent_bytes_; }
  std::uint64_t failed() const { return failed_; }

 private:
  io::UdpSocket& socket_;
  std::unique_ptr<std::byte[]> memory_;
  io::SendBatch batch_{kSlots};
  std::size_t used_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t failed_ = 0;
};

static_assert(ginnel::Outbox<Outbox>);

}  // namespace ginnel::gossip
