#include "runtime/gossip/udp_datagrams.h"

namespace ginnel::gossip {
namespace {

constexpr std::size_t kReceiveSlots = 8;
// A bounded number of batches a turn, so that a flood does not starve timers.
constexpr int kBatchesPerTurn = 32;

}  // namespace

UdpDatagrams::UdpDatagrams(io::EventLoop& loop, std::unique_ptr<io::UdpSocket> socket,
                           Handlers handlers)
    : loop_(loop),
      socket_(std::move(socket)),
      handlers_(std::move(handlers)),
      memory_(std::make_unique_for_overwrite<std::byte[]>(kSlots * kSlotBytes)),
      in_(kReceiveSlots) {}

Result<void, Error> UdpDatagrams::watch() {
  return loop_.watch(socket_->fd(), {.read = true}, [this](io::Ready) { receive(); });
}

std::span<std::byte> UdpDatagrams::slot() {
  if (used_ == kSlots && !send()) return {};
  return {memory_.get() + used_ * kSlotBytes, kSlotBytes};
}

void UdpDatagrams::commit(const Transmit& transmit) {
  out_.add({.to = transmit.to,
            .source = transmit.source,
            .bytes = {memory_.get() + used_ * kSlotBytes, transmit.size}});
  ++used_;
  ++counts_.sent;
  counts_.sent_bytes += transmit.size;
}

// True: everything is out. False: the socket is full.
bool UdpDatagrams::send() {
  if (!out_.empty()) {
    const io::SendReport report = socket_->send(out_);
    counts_.failed += report.failures.size();
    if (report.would_block) return false;
  }
  used_ = 0;
  return true;
}

void UdpDatagrams::flush() {
  const bool sent = send();
  loop_.set_interest(socket_->fd(), {.read = true, .write = !sent});
}

void UdpDatagrams::receive() {
  for (int round = 0; round < kBatchesPerTurn; ++round) {
    const auto received = socket_->receive(in_);
    if (received.empty()) return;
    for (const io::Received& one : received) {
      ++counts_.received;
      counts_.received_bytes += one.bytes.size();
      handlers_.on_datagram(one.from, one.bytes);
    }
  }
}

}  // namespace ginnel::gossip
