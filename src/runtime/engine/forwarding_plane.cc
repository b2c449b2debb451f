#include "runtime/engine/forwarding_plane.h"

#include "io/clock.h"

namespace ginnel::runtime {

using forwarding::ControlItem;

namespace {

// As the node core has places for (node_hub.cc).
constexpr std::size_t kRelayPlaces = 65'536;

}  // namespace

Result<std::unique_ptr<ForwardingPlane>, Error> ForwardingPlane::start(node::Node& node,
                                                                       io::UdpSocket& socket,
                                                                       const io::Tun* tun) {
  forwarding::ForwardingOptions options;
  options.relay_places = node.is_hub() ? kRelayPlaces : 0;
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
    case ControlItem::Kind::kDatagram:
      return node_.handle_datagram(now, item.from.path, item.from.endpoint, item.bytes());
    case ControlItem::Kind::kUnknownIndex:
      // It came before the table that has its index: taken up again behind that one. Any other is
      // of a pair that is gone.
      if (node_.knows_index(item.index) && changed_) unknown_.push_back(std::move(item));
      return;
    case ControlItem::Kind::kFrames:
      return node_.handle_opened(now, item.index, item.from, item.bytes());
    case ControlItem::Kind::kFacts:
      return node_.handle_data_facts(
          now, item.index,
          {item.confirmed, item.is_new_source ? std::optional(item.from) : std::nullopt});
    case ControlItem::Kind::kTunPacket:
      return node_.handle_tun_packet(now, item.bytes());
    case ControlItem::Kind::kSendFailed:
      if (item.why == io::SendError::kTooBig) {
        node_.handle_too_large(now, item.from.endpoint, item.failed_bytes);
      }
      return;
    case ControlItem::Kind::kDeviceGone:
      if (device_gone_) device_gone_();
      return;
    case ControlItem::Kind::kRelayed:
      return;  // to a node that is attached by a stream: this hub has none
  }
}

bool ForwardingPlane::handle(node::Event& event) {
  if (std::holds_alternative<node::ForwardingChanged>(event)) {
    changed_ = true;
  } else if (auto* done = std::get_if<node::KeyPairDone>(&event)) {
    done_.push_back(std::move(done->key_pair));
    changed_ = true;
  } else if (const auto* relay = std::get_if<node::RelayChanged>(&event)) {
    relay_changes_.push_back(relay->change);
  } else {
    return false;
  }
  return true;
}

void ForwardingPlane::publish() {
  std::size_t told = 0;
  while (told < relay_changes_.size() && threads_->change_relay(relay_changes_[told])) ++told;
  relay_changes_.erase(relay_changes_.begin(),
                       relay_changes_.begin() + static_cast<std::ptrdiff_t>(told));
  if (!changed_) return;
  changed_ = false;
  threads_->publish(std::make_unique<forward::ForwardingTable>(node_.forwarding_table()));
  for (auto& key_pair : done_) threads_->retire(std::move(key_pair));
  done_.clear();
  threads_->collect();
  for (const ControlItem& item : unknown_) threads_->inject(item);
  unknown_.clear();
}

}  // namespace ginnel::runtime
