// One session key in each direction, and everything a forwarding thread needs to use them without
// asking anybody.
//
//   if (const auto first = pair.reserve(batch.size())) {          // one atomic operation per batch
//     size = pair.seal(Sender::kForwarding, *first, plaintext, slot);
//     pair.activity().note_sent(now, Activity::Packet::kData);
//   }
//   auto plaintext = pair.open(now, datagram);                    // in place
//
// Threads: reserve() any; seal() one thread per Sender; open() the one thread that owns the local
// index. The Device makes pairs and hands them back retired; whoever owns the threads frees a
// retired pair when none of them can still use it. Never allocates after construction.
#pragma once
#include <atomic>
#include <memory>

#include "base/instant.h"
#include "crypto/aead.h"
#include "proto/wg/activity.h"
#include "proto/wg/handshake.h"
#include "proto/wg/replay_window.h"
#include "proto/wg/wire.h"

namespace ginnel::wg {

// Who seals: contexts of libcrypto belong to one thread each.
enum class Sender : std::uint8_t { kControl, kForwarding };

class KeyPair {
 public:
  struct Init {
    PeerHandle peer;
    ReceiverIndex local_index;   // the peer writes it in `receiver`
    ReceiverIndex remote_index;  // we write it
    bool is_initiator = false;
    Instant created;
    Nanoseconds reject_after_time{};
    std::uint64_t reject_after_messages = 0;
    // Shared because pairs that forwarding threads still hold may outlive their peer.
    std::shared_ptr<Activity> activity;
  };
  // The largest batch that reserve() takes.
  static constexpr std::uint64_t kReserveMax = 4096;

  KeyPair(const TransportKeys& keys, Init init);
  KeyPair(const KeyPair&) = delete;
  KeyPair& operator=(const KeyPair&) = delete;

  PeerHandle peer() const { return init_.peer; }
  ReceiverIndex local_index() const { return init_.local_index; }
  ReceiverIndex remote_index() const { return init_.remote_index; }
  bool is_initiator() const { return init_.is_initiator; }
  Instant created() const { return init_.created; }
  // REJECT_AFTER_TIME: neither sends nor receives any more.
  bool is_expired(Instant now) const { return now - init_.created >= init_.reject_after_time; }
  // Neither too old nor at REJECT_AFTER_MESSAGES.
  bool can_send(Instant now) const {
    return !is_expired(now) && messages_sent() < init_.reject_after_messages;
  }
  Activity& activity() const { return *init_.activity; }

  // The first of `count` counters that are the caller's alone. `count`: 1..kReserveMax.
  // nullopt: REJECT_AFTER_MESSAGES is reached; nothing was taken.
  std::optional<std::uint64_t> reserve(std::uint64_t count);
  std::uint64_t messages_sent() const { return next_counter_.load(std::memory_order_relaxed); }

  // Writes header, ciphertext and tag: plaintext.size() + kDataOverheadBytes bytes of `out`, whose
  // number is returned. The plaintext may already lie at out[kDataHeaderBytes]. `counter` comes
  // from reserve() and is used once.
  std::size_t seal(Sender sender, std::uint64_t counter, ConstBytes plaintext, Bytes out);

  // Opens a data message in place and returns its plaintext (empty: a keepalive), still padded.
  // Errors: kUnknownType, kWrongSize, kExpired, kCounterTooHigh, kNotAuthentic, kReplayed.
  Result<Bytes, Drop> open(Instant now, Bytes packet);

  // True once: whoever opened the first packet tells the control thread that the pair is confirmed.
  bool take_first_received();

 private:
  static constexpr std::size_t kCacheLine = 64;

  const Init init_;
  std::array<crypto::Aead, 2> sealers_;  // by Sender
  crypto::Aead opener_;
  ReplayWindow window_;
  bool first_received_ = false;
  bool first_received_taken_ = false;
  alignas(kCacheLine) std::atomic<std::uint64_t> next_counter_{0};
};

}  // namespace ginnel::wg
