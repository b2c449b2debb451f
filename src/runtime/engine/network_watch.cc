#include "runtime/engine/network_watch.h"

#include "io/clock.h"

namespace ginnel::runtime {

Result<std::unique_ptr<NetworkWatch>, Error> NetworkWatch::start(io::EventLoop& loop, Tell tell) {
  auto monitor = io::NetworkMonitor::open();
  if (!monitor) return Fail(monitor.error());
  std::unique_ptr<NetworkWatch> out(new NetworkWatch(loop, *std::move(monitor), std::move(tell)));
  const auto watched = loop.watch(out->monitor_->fd(), {.read = true},
                                  [watch = out.get()](io::Ready) { watch->note_changes(); });
  if (!watched) return Fail(watched.error());
  out->look();
  return out;
}

NetworkWatch::NetworkWatch(io::EventLoop& loop, std::unique_ptr<io::NetworkMonitor> monitor,
                           Tell tell)
    : loop_(loop), monitor_(std::move(monitor)), tell_(std::move(tell)) {
  alarm_ = loop_.add_alarm([this] { look(); });
}

NetworkWatch::~NetworkWatch() {
  loop_.unwatch(monitor_->fd());
  loop_.remove(alarm_);
}

void NetworkWatch::note_changes() {
  bool any = false;
  while (monitor_->next()) any = true;
  if (any) look_soon();
}

void NetworkWatch::look_soon() {
  if (std::exchange(waiting_, true)) return;
  loop_.set(alarm_, io::now() + kSettleTime);
}

void NetworkWatch::look() {
  waiting_ = false;
  if (const auto network = read_host_network()) tell_(*network);
}

}  // namespace ginnel::runtime
