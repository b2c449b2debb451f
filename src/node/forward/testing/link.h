// Two nodes with a session between them, as tables: 0 is 10.66.0.1 and fd66::1, 1 is .2 and ::2.
#pragma once
#include <array>

#include "node/forward/receiver.h"
#include "node/forward/testing/packets.h"
#include "node/forward/transmitter.h"

namespace ginnel::forward::testing {

inline constexpr wg::PeerHandle kPeer{9};
inline constexpr relay::Index kIndex0{100};
inline constexpr relay::Index kIndex1{101};
inline constexpr PathId kHubPath{20};
inline const Endpoint kHub{Address::v4(203, 0, 113, 1), 7700};

inline crypto::SipKey sip_key(std::uint8_t n) {
  crypto::SipKey out{};
  out.fill(n);
  return out;
}
inline Address v4_of(int node) {
  return Address::v4(10, 66, 0, static_cast<std::uint8_t>(node + 1));
}
inline Address v6_of(int node) {
  return *Address::parse("fd66::" + std::to_string(node + 1));
}
inline Endpoint endpoint_of(int node) {
  return {Address::v4(192, 0, 2, static_cast<std::uint8_t>(node + 1)), 7700};
}

struct LinkOptions {
  bool relayed = false;
  std::size_t mtu_bytes = 1392;
  bool slow = false;
  bool takes_frames = true;
  bool ip_allowed = true;
  std::uint64_t reject_after_messages = ~std::uint64_t{0} - (1 << 13);
  std::vector<ForwardingRoute> more_routes = {};
  std::optional<Address> third_party = {};  // another peer's address
};

class Link {
 public:
  explicit Link(LinkOptions options = {}) : options_(std::move(options)) {
    Rng rng = Rng::from_seed(1);
    const auto a = crypto::SymmetricKey::generate(rng);
    const auto b = crypto::SymmetricKey::generate(rng);
    for (int i = 0; i < 2; ++i) {
      const wg::TransportKeys keys{i == 0 ? a.clone() : b.clone(), i == 0 ? b.clone() : a.clone()};
      pairs[i] = std::make_unique<wg::KeyPair>(
          keys, wg::KeyPair::Init{.peer = kPeer,
                                  .local_index = wg::ReceiverIndex(i == 0 ? 11 : 22),
                                  .remote_index = wg::ReceiverIndex(i == 0 ? 22 : 11),
                                  .is_initiator = i == 0,
                                  .created = now,
                                  .reject_after_time = 180s,
                                  .reject_after_messages = options_.reject_after_messages,
                                  .activity = std::make_shared<wg::Activity>()});
      tables[i] = make_table(i);
    }
  }

  std::unique_ptr<ForwardingTable> make_table(int i) const {
    Destination to;
    to.peer = kPeer;
    to.key_pair = pairs[i].get();
    to.to = options_.relayed ? kHub : endpoint_of(1 - i);
    if (options_.relayed) {
      to.relay = RelayVia{i == 0 ? kIndex0 : kIndex1, i == 0 ? kIndex1 : kIndex0, relay_key(i)};
    }
    to.mtu_bytes = options_.mtu_bytes;
    to.slow = options_.slow;
    to.takes_frames = options_.takes_frames;
    Origin from;
    from.key_pair = pairs[i].get();
    from.peer = kPeer;
    from.expected = {kSocket, endpoint_of(1 - i)};
    if (options_.relayed) {
      const relay::Index source = i == 0 ? kIndex1 : kIndex0;
      from.expected = {kHubPath, {Address::v4(source.value()), 0}};
    }
    from.ip_allowed = options_.ip_allowed;
    from.takes_frames = options_.takes_frames;
    from.traffic = to.traffic;
    TableContents contents;
    contents.destinations = {to};
    contents.routes = options_.more_routes;
    contents.routes.push_back({Prefix::host(v4_of(1 - i)), 0});
    contents.routes.push_back({Prefix::host(v6_of(1 - i)), 0});
    if (options_.third_party) {
      Destination& third = contents.destinations.emplace_back();
      third.peer = wg::PeerHandle(kPeer.value() + 1);
      contents.routes.push_back({Prefix::host(*options_.third_party), 1});
    }
    contents.origins = {from};
    contents.own_addresses = {v4_of(i), v6_of(i)};
    if (options_.relayed) {
      contents.attachments = {{i == 0 ? kIndex0 : kIndex1, relay_key(i), kHubPath}};
    }
    return std::make_unique<ForwardingTable>(std::move(contents));
  }
  static crypto::SipKey relay_key(int node) { return sip_key(static_cast<std::uint8_t>(node + 1)); }
  Shape shape(bool v4, bool tcp, std::size_t payload) const {
    return {.v4 = v4,
            .tcp = tcp,
            .source = v4 ? v4_of(0) : v6_of(0),
            .destination = v4 ? v4_of(1) : v6_of(1),
            .payload = payload};
  }

  Instant now{7'000'000'000};
  std::array<std::unique_ptr<wg::KeyPair>, 2> pairs;
  std::array<std::unique_ptr<ForwardingTable>, 2> tables;

 private:
  LinkOptions options_;
};

// A packet under construction: sealed by `pair` as it is.
inline ByteVector seal(wg::KeyPair& pair, ConstBytes plaintext) {
  ByteVector out(plaintext.size() + wg::kDataOverheadBytes);
  pair.seal(wg::Sender::kControl, *pair.reserve(1), plaintext, out);
  return out;
}

// All packets that the coalescer would write, super packets taken apart again as the kernel would.
inline std::vector<ByteVector> written(Coalescer& tun) {
  std::vector<ByteVector> out;
  const std::size_t writes = tun.finish();
  for (std::size_t i = 0; i < writes; ++i) {
    ByteVector whole;
    for (const ConstBytes part : tun.parts(i)) whole.insert(whole.end(), part.begin(), part.end());
    const VnetHeader vnet = VnetHeader::parse(whole);
    const ConstBytes packet = ConstBytes(whole).subspan(kVnetHeaderBytes);
    if (vnet.gso_type == VnetHeader::kGsoNone) {
      out.push_back(to_vector(packet));
    } else {
      for (auto& segment : slow_segments(packet, vnet.gso_size)) out.push_back(std::move(segment));
    }
  }
  return out;
}

}  // namespace ginnel::forward::testing
