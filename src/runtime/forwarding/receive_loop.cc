#include "runtime/forwarding/receive_loop.h"

#include <poll.h>

#include "io/clock.h"

namespace ginnel::forwarding {

ReceiveLoop::ReceiveLoop(const Parts& parts)
    : parts_(parts),
      receiver_(parts.relay_places),
      out_({.tcp = true, .udp = parts.tun != nullptr && parts.tun->offloads().udp}),
      batch_(kReceiveSlots),
      sender_(parts.socket, forward::ReceiveOutput::kRelayedMax, parts.control),
      relay_changes_(kRelayChangesMax),
      injected_(kInjectedMax) {}

void ReceiveLoop::run() {
  while (!parts_.stop.load()) {
    if (!move_batch()) wait();
  }
}

bool ReceiveLoop::change_relay(const forward::RelayChange& change) {
  forward::RelayChange copy = change;
  return relay_changes_.push(std::move(copy));
}

bool ReceiveLoop::inject(const forward::ToControl& early) {
  ControlItem item;
  if (early.bytes.size() > item.storage.size()) return false;
  item.told = early;
  item.size = early.bytes.size();
  forward::copy_bytes(early.bytes, item.storage);
  return injected_.push(std::move(item));
}

// False: nothing waits any more.
bool ReceiveLoop::move_batch() {
  const Instant now = io::now();
  take_from_control(now);
  const auto received = parts_.socket.receive(batch_);
  // Entered after the receive: the table is not older than what came.
  const forward::ForwardingTable& table = *parts_.tables.enter();
  std::size_t bytes = 0;
  for (const io::Received& one : received) {
    handle(now, table, {one.from, one.local, one.bytes, one.segment_size});
    bytes += one.bytes.size();
    if (bytes < kFlushBytes) continue;
    flush();
    bytes = 0;
  }
  flush();
  parts_.tables.leave();
  return !received.empty();
}

void ReceiveLoop::take_from_control(Instant now) {
  while (const auto change = relay_changes_.pop()) receiver_.apply(now, *change);
  while (auto item = injected_.pop()) {
    // The table that it waited for was published before it was given back.
    const forward::ForwardingTable& table = *parts_.tables.enter();
    const forward::ToControl early = item->received();
    receiver_.handle_unwrapped(now, table, early.from, early.local, early.bytes, out_);
    flush();  // before the item goes
  }
}

void ReceiveLoop::handle(Instant now, const forward::ForwardingTable& table,
                         const forward::ReceivedRun& run) {
  for (std::size_t at = 0; at < run.bytes.size();) {
    at += receiver_.handle(now, table, run, at, out_);
    if (out_.full()) flush();
  }
}

void ReceiveLoop::flush() {
  write_tun();
  for (const forward::Relayed& relayed : out_.relayed) {
    sender_.add({.to = relayed.to,
                 .bytes = relayed.bytes,
                 .segment_size = relayed.segments > 1 ? relayed.segment_size : 0});
  }
  sender_.flush();
  for (const forward::ToControl& one : out_.control) {
    ControlItem item;
    item.told = one;
    parts_.control.push(item, one.bytes);
  }
  parts_.control.wake();
  out_.clear();
}

void ReceiveLoop::write_tun() {
  const std::size_t writes = parts_.tun == nullptr ? 0 : out_.tun.finish();
  for (std::size_t i = 0; i < writes; ++i) {
    if (parts_.tun->write(out_.tun.parts(i)).status == io::TunStatus::kDone) continue;
    unwritten_.store(unwritten_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
}

void ReceiveLoop::wait() {
  pollfd ready[] = {{parts_.wakeup.fd(), POLLIN, 0}, {parts_.socket.fd(), POLLIN, 0}};
  ::poll(ready, 2, -1);
  if (ready[0].revents != 0) parts_.wakeup.acknowledge();
}

}  // namespace ginnel::forwarding
