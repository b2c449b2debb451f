#include "runtime/forwarding/sender.h"

#include <poll.h>

namespace ginnel::forwarding {

void Sender::flush() {
  while (!batch_.empty()) {
    const io::SendReport report = socket_.send(batch_);
    for (const io::SendFailure& failure : report.failures) this->report(failure);
    if (!report.would_block || wait_writable()) continue;
    dropped_.fetch_add(batch_.pending().size(), std::memory_order_relaxed);
    batch_.clear();
  }
}

void Sender::report(const io::SendFailure& failure) {
  ControlItem item;
  item.kind = ControlItem::Kind::kSendFailed;
  item.failure = failure;
  control_.push(item, {});
}

bool Sender::wait_writable() const {
  pollfd ready{socket_.fd(), POLLOUT, 0};
  return ::poll(&ready, 1, kPatienceMs) == 1;
}

}  // namespace ginnel::forwarding
