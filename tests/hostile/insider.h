// A node with a genuine certificate and nothing but bad intentions: it shakes hands, is let in, and
// from then on what it seals is hostile. As a peer it attacks its hub, as a hub its peer.
//
//   Insider insider({identity, target_key, target, seeds, rng});
//   insider.handle_datagram(now, bytes);
//   while (auto transmit = insider.poll_transmit(now, slot)) ...   // its honest part
//   if (insider.is_in()) size = insider.attack(now, slot);
//
// One thread. After kLife attacks, or when the target has dropped it, it comes anew as a later run
// of itself.
#pragma once
#include <memory>

#include "node/channels/channels.h"
#include "node/own_identity.h"
#include "proto/relay/wire.h"
#include "proto/wg/device.h"
#include "seeds.h"

namespace ginnel::hostile {

class Insider {
 public:
  struct Options {
    node::OwnIdentity identity;
    crypto::SessionPublic target_key;
    Endpoint target;
    Seeds* seeds = nullptr;
  };
  struct Counts {
    std::uint64_t lives = 0;     // times it was let in
    std::uint64_t attacks = 0;   // sealed hostile packets, and relayed ones
    std::uint64_t answered = 0;  // honest pings that came back
  };

  Insider(Options options, Rng rng);

  void handle_datagram(Instant now, Bytes bytes);
  std::optional<std::size_t> poll_transmit(Instant now, Bytes slot);
  // The target has accepted our certificate, and answers.
  bool is_in() const { return accepted_; }
  // Writes one hostile datagram; 0: none now.
  std::size_t attack(Instant now, Bytes slot);
  const Counts& counts() const { return counts_; }

 private:
  static constexpr std::uint64_t kLife = 4000;  // attacks
  static constexpr Nanoseconds kLifeMin = 300ms;
  static constexpr Nanoseconds kPingEvery = 50ms;
  static constexpr Nanoseconds kPatience = 1500ms;
  static constexpr std::size_t kQueueMax = 64;

  void begin(Instant now);
  void handle_frames(Instant now, ConstBytes plaintext);
  void handle_frame(Instant now, const control::Frame& frame);
  void handle_hello(const control::Frame& frame);
  void answer_register(const control::Frame& frame);
  void take_channel_events();
  template <class Body>
  void push(const Body& body);
  void push_hello();
  void push_register();
  void push_ping(Instant now);
  std::size_t seal(Instant now, ConstBytes plaintext, Bytes slot);
  void keep_epoch(Bytes plaintext) const;
  std::size_t attack_by_frames(Instant now, Bytes slot);
  std::size_t attack_by_lane(Instant now, Bytes slot);
  std::size_t attack_by_relay(Bytes slot);
  std::size_t attack_by_ip(Instant now, Bytes slot);

  Options options_;
  Rng rng_;
  node::Budget budget_{std::size_t{16} << 20};
  std::unique_ptr<wg::Device> device_;  // of this life
  wg::PeerHandle peer_;
  std::unique_ptr<node::Channels> channels_;
  std::vector<ByteVector> queue_;  // honest frames
  bool established_ = false;
  bool accepted_ = false;
  std::uint64_t epoch_;
  std::uint32_t sequence_ = 0;
  std::uint64_t attacks_ = 0;  // of this life
  Instant begun_;
  Instant answered_;
  Instant pinged_;
  relay::Index relay_index_;
  crypto::SipKey relay_key_{};
  Counts counts_;
};

}  // namespace ginnel::hostile
