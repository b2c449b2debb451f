#include "runtime/engine/forwarding_plane.h"

#include "io/clock.h"

namespace ginnel::runtime {

using forwarding::ControlItem;

Result<std::unique_ptr<ForwardingPlane>, Error> ForwardingPlane::start(node::Node& node,
                                                                       io::UdpSocket& socket,
                                                                       const io::Tun* tun) {
  forwarding::ForwardingOptions options;
  options.relay_places = node::ForwardingControl::relay_places(node);
  auto threads = forwarding::ForwardingThreads::start(socket, tun, options);
  if (!threads) return Fail(threads.error());
  return std::unique_ptr<ForwardingPlane>(new ForwardingPlane(node, *std::move(threads)));
}

void ForwardingPlane::receive() {
  for (int i = 0; i < kItemsPerRound; ++i) {
    auto item = threads_->poll();
    if (!item) return;
    take(io::now(), *item);
  }
}

void ForwardingPlane::take(Instant now, ControlItem& item) {
  switch (item.kind) {
    case ControlItem::Kind::kReceived:
      return control_.take(now, item.received());
    case ControlItem::Kind::kTunPacket:
      return node_.handle_tun_packet(now, item.bytes());
    case ControlItem::Kind::kSendFailed:
      if (item.failure.why == io::SendError::kTooBig) {
        node_.handle_too_large(now, item.failure.to, item.failure.datagram_bytes);
      }
      return;
    case ControlItem::Kind::kDeviceGone:
      if (device_gone_) device_gone_();
      return;
  }
}

void ForwardingPlane::publish() {
  control_.publish(*threads_);
  threads_->collect();
}

}  // namespace ginnel::runtime
