// Between a node core and what moves its packets (the daemon's forwarding threads, the simulator's
// plane): what the plane tells goes to the core, what the core decides goes to the plane.
//
//   ForwardingControl control(node);      // Config::forwarding_threads is set
//   control.take(now, told);              // of a Receiver, in the order in which it told
//   control.handle(event);                // true: it was the plane's
//   control.publish(plane);               // after the core was drained, before datagrams leave
//
// Belongs to the thread of the node, which outlives it.
#pragma once
#include <memory>
#include <vector>

#include "node/node.h"

namespace ginnel::node {

// What publish() does with a plane. change_relay and inject: false: full, nothing happened.
template <class P>
concept PacketPlane = requires(P plane, std::unique_ptr<const forward::ForwardingTable> table,
                               std::unique_ptr<wg::KeyPair> key_pair,
                               const forward::RelayChange& change,
                               const forward::ToControl& early) {
  { plane.change_relay(change) } -> std::same_as<bool>;
  plane.publish(std::move(table));
  plane.retire(std::move(key_pair));
  { plane.inject(early) } -> std::same_as<bool>;
};

class ForwardingControl {
 public:
  // Packets that came before their table; past it new ones are dropped, as the network may.
  static constexpr std::size_t kEarlyMax = 64;

  explicit ForwardingControl(Node& node) : node_(node) {}
  ForwardingControl(const ForwardingControl&) = delete;

  // Of a plane's Receiver.
  static std::size_t relay_places(const Node& node) { return node.is_hub() ? kPeersPerHub : 0; }

  void take(Instant now, const forward::ToControl& told);
  // True: the event was for the plane.
  bool handle(Event& event);
  // Relay changes that the plane has no room for wait for the next call.
  template <PacketPlane P>
  void publish(P& plane) {
    std::size_t done = 0;
    while (done < relay_changes_.size() && plane.change_relay(relay_changes_[done])) ++done;
    relay_changes_.erase(relay_changes_.begin(),
                         relay_changes_.begin() + static_cast<std::ptrdiff_t>(done));
    if (std::exchange(changed_, false)) {
      plane.publish(std::make_unique<const forward::ForwardingTable>(node_.forwarding_table()));
      for (auto& key_pair : std::exchange(done_, {})) plane.retire(std::move(key_pair));
    }
    for (Early& early : std::exchange(early_, {})) {
      early.told.bytes = early.bytes;
      plane.inject(early.told);  // or it is lost, as the network may lose it
    }
  }

 private:
  struct Early {
    forward::ToControl told;
    ByteVector bytes;
  };

  Node& node_;
  bool changed_ = true;
  // Named by the published table perhaps; retired after the next one.
  std::vector<std::unique_ptr<wg::KeyPair>> done_;
  // That the plane had no room for, or was not told yet. The core bounds them: a node registers
  // once in a while.
  std::vector<forward::RelayChange> relay_changes_;
  std::vector<Early> early_;
};

}  // namespace ginnel::node
