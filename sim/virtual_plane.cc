#include "sim/virtual_plane.h"

#include <algorithm>

#include "base/assert.h"
#include "base/timers.h"

namespace ginnel::sim {
namespace {

constexpr double kLateShare = 0.125;

}  // namespace

class VirtualPlane::Sink {
 public:
  Sink(VirtualPlane& plane, Instant now) : plane_(plane), now_(now) {}

  bool change_relay(const forward::RelayChange& change) {
    plane_.receiver_.apply(now_, change);
    return true;
  }
  void publish(std::unique_ptr<const forward::ForwardingTable> table) {
    plane_.tables_.publish(std::move(table));
  }
  void retire(std::unique_ptr<wg::KeyPair> pair) { plane_.tables_.retire(std::move(pair)); }
  bool inject(const forward::ToControl& early) {
    plane_.receiver_.handle_unwrapped(now_, *plane_.reader_.enter(), early.from, early.local,
                                      early.bytes, plane_.output_);
    plane_.take_output(now_);
    plane_.reader_.leave();
    return true;
  }

 private:
  VirtualPlane& plane_;
  Instant now_;
};

VirtualPlane::VirtualPlane(node::Node& node, Rng rng)
    : node_(node),
      control_(node),
      rng_(std::move(rng)),
      reader_(tables_.add_reader()),
      receiver_(node::ForwardingControl::relay_places(node)) {}

// --- the threads

void VirtualPlane::handle_datagram(Instant now, const Endpoint& from, const Address& local,
                                   Bytes bytes) {
  const forward::ReceivedRun run{.from = from, .local = local, .bytes = bytes};
  for (std::size_t at = 0; at < bytes.size();) {
    at += receiver_.handle(now, *reader_.enter(), run, at, output_);
    take_output(now);
  }
  reader_.leave();
}

// One datagram makes one packet at most, so nothing was joined: behind the virtio header it lies as
// it came.
void VirtualPlane::take_output(Instant now) {
  const std::size_t writes = output_.tun.finish();
  for (std::size_t i = 0; i < writes; ++i) {
    ByteVector write;
    for (const ConstBytes part : output_.tun.parts(i)) {
      write.insert(write.end(), part.begin(), part.end());
    }
    GINNEL_ASSERT(forward::VnetHeader::parse(write).gso_type == forward::VnetHeader::kGsoNone);
    tun_.push_back(to_vector(ConstBytes(write).subspan(forward::kVnetHeaderBytes)));
  }
  for (const forward::Relayed& relayed : output_.relayed) {
    send(relayed.to, {}, relayed.bytes, relayed.segment_size);
  }
  for (const forward::ToControl& one : output_.control) tell(now, &one, one.bytes);
  output_.clear();
}

void VirtualPlane::handle_tun_packet(Instant now, ConstBytes packet) {
  ByteVector read(forward::kVnetHeaderBytes);
  read.insert(read.end(), packet.begin(), packet.end());
  const forward::ForwardingTable& table = *reader_.enter();
  forward::Pushed pushed = transmitter_.push(now, table, read, batch_);
  while (pushed.outcome == forward::Outcome::kFull) {
    send_sealed();
    pushed = transmitter_.push(now, table, read, batch_);
  }
  reader_.leave();
  send_sealed();
  if (pushed.outcome == forward::Outcome::kToControl) tell(now, nullptr, packet);
  if (!pushed.answer.empty()) {
    tun_.push_back(to_vector(pushed.answer.subspan(forward::kVnetHeaderBytes)));
  }
}

void VirtualPlane::send_sealed() {
  for (const forward::SealedMessage& message : batch_.messages()) {
    send(message.to, message.source, message.bytes, message.segment_size);
  }
  batch_.clear();
}

void VirtualPlane::send(const Endpoint& to, const Address& source, ConstBytes bytes,
                        std::size_t segment_size) {
  while (!bytes.empty() && datagrams_.size() < kDatagramsMax) {
    const std::size_t size = std::min(segment_size, bytes.size());
    datagrams_.push_back({to, source, to_vector(bytes.first(size))});
    bytes = bytes.subspan(size);
  }
}

void VirtualPlane::tell(Instant now, const forward::ToControl* what, ConstBytes bytes) {
  if (told_.size() == kToldMax) return;
  Instant due = now;
  if (rng_.chance(kLateShare)) due = due + rng_.between(0ns, kLateMax);
  if (!told_.empty()) due = std::max(due, told_.back().due);
  told_.push_back({due, what ? std::optional(*what) : std::nullopt, to_vector(bytes)});
}

// --- control

void VirtualPlane::take_due(Instant now) {
  while (!told_.empty() && told_.front().due <= now) {
    Told told = *take_first(told_);
    if (!told.what) {
      node_.handle_tun_packet(now, told.bytes);
      continue;
    }
    told.what->bytes = told.bytes;
    control_.take(now, *told.what);
    has_news_ |= told.what->kind == forward::ToControl::Kind::kUnknownIndex;
  }
}

bool VirtualPlane::handle(node::Event& event) {
  const bool is_ours = control_.handle(event);
  has_news_ |= is_ours;
  return is_ours;
}

void VirtualPlane::publish(Instant now) {
  if (!has_news_) return;
  if (!publish_at_) {
    publish_at_ = rng_.chance(kLateShare) ? now + rng_.between(0ns, kHeldUpMax) : now;
  }
  if (*publish_at_ > now) return;
  publish_at_.reset();
  has_news_ = false;
  Sink sink(*this, now);
  control_.publish(sink);
  tables_.collect();
  GINNEL_ASSERT(tables_.retired() == 0);
}

std::optional<Instant> VirtualPlane::next_timeout() const {
  return earlier(publish_at_, told_.empty() ? std::nullopt : std::optional(told_.front().due));
}

}  // namespace ginnel::sim
