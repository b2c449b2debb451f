#include "runtime/outbox.h"

#include "node/node.h"

namespace ginnel::runtime {

SocketOutbox::SocketOutbox(io::UdpSocket& main, io::UdpSocket* probe)
    : memory_(kSlots * kSlotBytes), main_{&main}, probe_{probe} {}

std::span<std::byte> SocketOutbox::slot() {
  if (used_ == kSlots && !flush()) return {};
  return Bytes(memory_).subspan(used_ * kSlotBytes, kSlotBytes);
}

void SocketOutbox::commit(const Transmit& transmit) {
  Lane& lane = transmit.path == node::kProbeSocket ? probe_ : main_;
  if (!lane.socket) return;
  lane.batch.add({.to = transmit.to,
                  .source = transmit.source,
                  .bytes = ConstBytes(memory_).subspan(used_ * kSlotBytes, transmit.size),
                  .segment_size = transmit.segment_size,
                  .ttl = transmit.ttl,
                  .ecn = transmit.ecn});
  ++used_;
}

bool SocketOutbox::flush(Lane& lane) {
  if (!lane.socket || lane.batch.empty()) return true;
  return !lane.socket->send(lane.batch).would_block;
}

bool SocketOutbox::flush() {
  const bool done = flush(main_) & flush(probe_);
  if (done) used_ = 0;
  return done;
}

}  // namespace ginnel::runtime
