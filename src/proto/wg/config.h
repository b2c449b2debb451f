// The constants of the WireGuard paper, section 6.1, as values, so that a test can rekey each
// second; and what is told about one peer.
#pragma once
#include "base/instant.h"
#include "crypto/keys.h"
#include "proto/wg/timestamp.h"

namespace ginnel::wg {

struct Config {
  std::uint64_t rekey_after_messages = std::uint64_t{1} << 60;
  std::uint64_t reject_after_messages = ~std::uint64_t{0} - (std::uint64_t{1} << 13);
  Nanoseconds rekey_after_time = 120s;
  Nanoseconds reject_after_time = 180s;
  Nanoseconds rekey_attempt_time = 90s;
  Nanoseconds rekey_timeout = 5s;
  Nanoseconds rekey_jitter = 333ms;  // the most that is added to rekey_timeout
  Nanoseconds keepalive_timeout = 10s;
  Nanoseconds cookie_lifetime = 120s;
  // wireguard-go HandshakeInitiationRate: sooner than this, a peer's next initiation is dropped.
  Nanoseconds initiation_interval_min = 20ms;
  // Handshake messages with right mac1 in one second from which on we are under load for a second
  // more. One costs about 0.16 ms, so this is a sixth of a processor.
  std::uint32_t handshakes_per_second_max = 1000;
  // How long an initiation of nobody we know waits for accept(), and a provisional peer for keep().
  Nanoseconds provisional_time = 5s;
  // The inner MTU: padding does not pass it.
  std::size_t mtu_bytes = 1420;
  // How often activity of forwarding threads is looked at for rekeying; 0: nobody but the Device
  // opens and seals, so that it knows by itself.
  Nanoseconds sweep_interval{};
  // The last stamp that an earlier run with the same key sent, so that a clock set back locks
  // nobody out.
  Timestamp last_timestamp_sent;

  // Received with this age, the initiator's last chance to renew without a gap.
  Nanoseconds last_minute_age() const {
    return reject_after_time - keepalive_timeout - rekey_timeout;
  }
  Nanoseconds unanswered_timeout() const { return keepalive_timeout + rekey_timeout; }
  Nanoseconds wipe_after() const { return 3 * reject_after_time; }
};

// When a lost initiation is sent again.
enum class Retransmission : std::uint8_t {
  kStock,    // WireGuard's: each rekey_timeout, plus jitter
  kOwnNode,  // after max(250 ms, 2 RTT), then 1, 3 and 7 s after the first, then each rekey_timeout
};

struct PeerConfig {
  crypto::PresharedKey preshared;  // all zero: none
  Retransmission retransmission = Retransmission::kStock;
  Nanoseconds rtt{};                   // 0: not known; only kOwnNode uses it
  Nanoseconds persistent_keepalive{};  // 0: off
  bool is_provisional = false;         // removed after provisional_time unless keep() is called
  Timestamp greatest_accepted;         // of an earlier run: older initiations are replays
};

}  // namespace ginnel::wg
