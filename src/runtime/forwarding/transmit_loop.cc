#include "runtime/forwarding/transmit_loop.h"

#include <poll.h>

#include <utility>

#include "io/clock.h"

namespace ginnel::forwarding {

using forward::Outcome;

TransmitLoop::TransmitLoop(const Parts& parts)
    : parts_(parts),
      sender_(parts.socket, forward::SealedBatch::kMessages, parts.control),
      buffer_(io::kTunBufferBytes),
      segment_(io::kTunPacketBytesMax) {}

void TransmitLoop::run() {
  while (!parts_.stop.load()) {
    if (!move_batch()) wait();
  }
}

// False: nothing waits any more.
bool TransmitLoop::move_batch() {
  const Instant now = io::now();
  bool more = true;
  for (int i = 0; i < kReadsMax && batch_.bytes() < kSendBytes; ++i) {
    const io::TunResult read = parts_.tun.read(buffer_);
    if (read.status == io::TunStatus::kDone) {
      // Entered after each read: whoever was told that a table is out and then sends a packet gets
      // an answer out of that table.
      push(now, *parts_.tables.enter(), Bytes(buffer_).first(read.size));
      continue;
    }
    if (read.status == io::TunStatus::kGone) note_gone();
    more = false;
    break;
  }
  send();
  parts_.tables.leave();
  parts_.control.wake();
  return more;
}

void TransmitLoop::push(Instant now, const forward::ForwardingTable& table, ConstBytes read) {
  forward::Pushed pushed = transmitter_.push(now, table, read, batch_);
  while (pushed.outcome == Outcome::kFull) {
    send();
    pushed = transmitter_.push(now, table, read, batch_);
  }
  if (pushed.outcome == Outcome::kToControl) hand_to_control(read, pushed.first_segment);
  if (!pushed.answer.empty()) parts_.tun.write(std::span(&pushed.answer, 1));
}

// Control knows no super packets.
void TransmitLoop::hand_to_control(ConstBytes read, std::size_t first_segment) {
  const auto packet = forward::TunPacket::parse(read);
  if (!packet) return;
  for (std::size_t i = first_segment; i < packet->segments(); ++i) {
    const std::size_t size = packet->write_segment(i, segment_);
    ControlItem item;
    item.kind = ControlItem::Kind::kTunPacket;
    if (!parts_.control.push(item, Bytes(segment_).first(size))) return;
  }
}

void TransmitLoop::send() {
  for (const forward::SealedMessage& message : batch_.messages()) {
    sender_.add({.to = message.to,
                 .source = message.source,
                 .bytes = message.bytes,
                 .segment_size = message.segments > 1 ? message.segment_size : 0});
  }
  sender_.flush();
  batch_.clear();
}

void TransmitLoop::note_gone() {
  if (std::exchange(gone_, true)) return;
  ControlItem item;
  item.kind = ControlItem::Kind::kDeviceGone;
  parts_.control.push(item, {});
}

void TransmitLoop::wait() {
  pollfd ready[] = {{parts_.wakeup.fd(), POLLIN, 0}, {parts_.tun.fd(), POLLIN, 0}};
  // A device that is gone is always readable.
  ::poll(ready, gone_ ? 1 : 2, -1);
  if (ready[0].revents != 0) parts_.wakeup.acknowledge();
}

}  // namespace ginnel::forwarding
