// The forwarding plane of a node in virtual time: what the daemon's two threads do with the same
// Transmitter, Receiver and tables, one packet at a time.
//
//   VirtualPlane plane(node, rng);
//   plane.handle_datagram(now, from, local, bytes);   // of the main socket
//   plane.handle_tun_packet(now, packet);             // of this host's programs
//   plane.take_due(now);                              // the node hears what the plane told
//   plane.handle(event);                              // true: it was the plane's
//   plane.publish(now);                               // behind each drain of the node
//   while (auto datagram = plane.poll_datagram()) …   // to the socket
//   while (auto packet = plane.poll_tun()) …          // to this host's programs
//
// The threads run beside control, so control hears late, and may be held up between a table and its
// publication. How late is drawn from the Rng.
#pragma once
#include <deque>

#include "node/forward/publication.h"
#include "node/forward/transmitter.h"
#include "node/forwarding_control.h"

namespace ginnel::sim {

class VirtualPlane {
 public:
  // Items for control and datagrams for the socket; past it new ones are dropped, as the daemon's
  // rings and the socket do.
  static constexpr std::size_t kToldMax = 1024;
  static constexpr std::size_t kDatagramsMax = 4096;
  // One item in eight is heard up to so much late, and those behind it wait for it.
  static constexpr Nanoseconds kLateMax = 5ms;
  // One table in eight is published up to so much late.
  static constexpr Nanoseconds kHeldUpMax = 3ms;

  struct Datagram {
    Endpoint to;
    Address source;  // unspecified: the kernel chooses
    ByteVector bytes;
  };

  // `node` outlives it.
  VirtualPlane(node::Node& node, Rng rng);

  void handle_datagram(Instant now, const Endpoint& from, const Address& local, Bytes bytes);
  void handle_tun_packet(Instant now, ConstBytes packet);

  void take_due(Instant now);
  bool handle(node::Event& event);
  void publish(Instant now);
  // When something is due for take_due() or publish().
  std::optional<Instant> next_timeout() const;

  std::optional<Datagram> poll_datagram() { return take_first(datagrams_); }
  std::optional<ByteVector> poll_tun() { return take_first(tun_); }

 private:
  class Sink;  // what ForwardingControl publishes to
  struct Told {
    Instant due;
    std::optional<forward::ToControl> what;  // nullopt: a packet of the TUN device
    ByteVector bytes;
  };
  template <class T>
  static std::optional<T> take_first(std::deque<T>& queue) {
    if (queue.empty()) return std::nullopt;
    std::optional<T> out(std::move(queue.front()));
    queue.pop_front();
    return out;
  }

  void take_output(Instant now);
  void tell(Instant now, const forward::ToControl* what, ConstBytes bytes);
  void send(const Endpoint& to, const Address& source, ConstBytes bytes, std::size_t segment_size);
  void send_sealed();

  node::Node& node_;
  node::ForwardingControl control_;
  Rng rng_;
  forward::Publication<forward::ForwardingTable> tables_;
  forward::Publication<forward::ForwardingTable>::Reader& reader_;
  forward::Receiver receiver_;
  forward::ReceiveOutput output_{{}};
  forward::Transmitter transmitter_;
  forward::SealedBatch batch_;
  std::deque<Told> told_;              // by due
  bool has_news_ = true;               // for publish()
  std::optional<Instant> publish_at_;  // drawn for the news
  std::deque<Datagram> datagrams_;
  std::deque<ByteVector> tun_;
};

}  // namespace ginnel::sim
