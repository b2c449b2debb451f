#include "runtime/forwarding/forwarding_threads.h"

#include <pthread.h>

namespace ginnel::forwarding {

Result<std::unique_ptr<ForwardingThreads>, Error> ForwardingThreads::start(
    io::UdpSocket& socket, const io::Tun* tun, const ForwardingOptions& options) {
  auto control = io::Wakeup::make();
  if (!control) return Fail(control.error());
  auto receive = io::Wakeup::make();
  if (!receive) return Fail(receive.error());
  auto transmit = io::Wakeup::make();
  if (!transmit) return Fail(transmit.error());
  Wakeups wakeups{*std::move(control), *std::move(receive), *std::move(transmit)};
  return std::unique_ptr<ForwardingThreads>(
      new ForwardingThreads(socket, tun, options, std::move(wakeups)));
}

ForwardingThreads::ForwardingThreads(io::UdpSocket& socket, const io::Tun* tun,
                                     const ForwardingOptions& options, Wakeups wakeups)
    : wakeups_(std::move(wakeups)),
      from_receive_(options.items_max, wakeups_.control),
      from_transmit_(options.items_max, wakeups_.control) {
  receive_ = std::make_unique<ReceiveLoop>(ReceiveLoop::Parts{socket, tun, tables_.add_reader(),
                                                              from_receive_, wakeups_.receive,
                                                              stop_, options.relay_places});
  if (tun != nullptr) {
    transmit_ = std::make_unique<TransmitLoop>(TransmitLoop::Parts{
        socket, *tun, tables_.add_reader(), from_transmit_, wakeups_.transmit, stop_});
  }
  // Last: the threads see only what is complete.
  receive_thread_ = std::thread([this] { receive_->run(); });
  ::pthread_setname_np(receive_thread_.native_handle(), "ginnel-rx");
  if (transmit_) {
    transmit_thread_ = std::thread([this] { transmit_->run(); });
    ::pthread_setname_np(transmit_thread_.native_handle(), "ginnel-tx");
  }
}

ForwardingThreads::~ForwardingThreads() { stop(); }

void ForwardingThreads::stop() {
  stop_.store(true);
  wakeups_.receive.notify();
  wakeups_.transmit.notify();
  if (receive_thread_.joinable()) receive_thread_.join();
  if (transmit_thread_.joinable()) transmit_thread_.join();
}

void ForwardingThreads::publish(std::unique_ptr<const forward::ForwardingTable> table) {
  tables_.publish(std::move(table));
  tables_.collect();
}

void ForwardingThreads::retire(std::unique_ptr<wg::KeyPair> pair) {
  tables_.retire(std::move(pair));
}

std::size_t ForwardingThreads::collect() {
  tables_.collect();
  return tables_.retired();
}

std::optional<ControlItem> ForwardingThreads::poll() {
  if (auto item = from_receive_.pop()) return item;
  if (auto item = from_transmit_.pop()) return item;
  // Armed before the last look, so that what comes in between wakes us.
  wakeups_.control.acknowledge();
  if (auto item = from_receive_.pop()) {
    wakeups_.control.notify();  // more may wait behind it
    return item;
  }
  if (auto item = from_transmit_.pop()) {
    wakeups_.control.notify();
    return item;
  }
  return std::nullopt;
}

bool ForwardingThreads::change_relay(const forward::RelayChange& change) {
  const bool done = receive_->change_relay(change);
  wakeups_.receive.notify();
  return done;
}

bool ForwardingThreads::inject(const forward::ToControl& early) {
  const bool done = receive_->inject(early);
  wakeups_.receive.notify();
  return done;
}

ForwardingCounters ForwardingThreads::counters() const {
  ForwardingCounters out;
  for (std::size_t i = 0; i < out.drops.size(); ++i) {
    const auto why = static_cast<forward::Drop>(i);
    out.drops[i] = receive_->drops()[why] + (transmit_ ? transmit_->drops()[why] : 0);
  }
  out.unsent = receive_->unsent() + (transmit_ ? transmit_->unsent() : 0);
  out.unwritten = receive_->unwritten();
  out.items_dropped = from_receive_.dropped() + from_transmit_.dropped();
  return out;
}

}  // namespace ginnel::forwarding
