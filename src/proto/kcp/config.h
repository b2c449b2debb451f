// What one end of a KCP conversation is configured with. Nothing here travels: both ends need only
// the same conv, and may differ in all else.
#pragma once
#include <chrono>
#include <cstdint>

#include "base/instant.h"
#include "proto/kcp/wire.h"

namespace ginnel::kcp {

using Milliseconds = std::chrono::milliseconds;

enum class Mode {
  kPrompt,      // our own nodes: sends on send(), answers on input, newest ACK first
  kCompatible,  // the C reference: everything waits for the next flush, once per interval
};

enum class Framing {
  kStream,   // bytes; what one send() took may arrive in any pieces
  kMessage,  // one send() is one read()
};

// How a segment's rto grows with each timeout: nodelay 0, 1 and 2 of the reference.
enum class Backoff {
  kDouble,      // rto += max(rto, the current estimate); the first one gets an eighth more
  kHalf,        // rto += rto / 2
  kHalfOfBase,  // rto += half of the current estimate
};

inline constexpr std::size_t kMtuMin = 50;  // ikcp_setmtu
inline constexpr std::size_t kMtuMax = 65535;
inline constexpr std::uint32_t kWindowMax = 65535;         // wnd has 16 bits
inline constexpr std::size_t kReceiveBytesMin = 1u << 18;  // 127 fragments of 1500 bytes fit
inline constexpr Milliseconds kIntervalMin{10};            // ikcp_interval
inline constexpr Milliseconds kIntervalMax{5000};
inline constexpr Milliseconds kRtoInitial{200};
inline constexpr Milliseconds kRtoMax{60000};
// ikcp_send refuses count >= IKCP_WND_RCV, so that a receiver's smallest window holds a message.
inline constexpr std::size_t kFragmentsMax = 127;

// Values outside the limits above are moved to the nearest one.
struct Config {
  Conv conv;
  // The first segment's number, the same at both ends. 0 everywhere on the wire; tests of the wrap
  // begin just before it.
  Sn first_sn;
  Mode mode = Mode::kPrompt;
  Framing framing = Framing::kStream;
  std::size_t mtu_bytes = 1400;  // of a datagram, headers of segments included
  std::uint32_t send_window_segments = 1024;
  std::uint32_t receive_window_segments = 1024;
  std::size_t send_bytes_max = 1u << 20;     // taken by send() and not yet known to have arrived
  std::size_t receive_bytes_max = 1u << 20;  // the window closes here; see Receiver for the bound
  // Compatible: the time between flushes. Both: the least slack in rto = srtt + max(interval,
  // 4 rttval); an answer that takes a scheduler's pause longer is not a loss.
  Milliseconds interval{30};
  Milliseconds rto_min{50};
  Backoff backoff = Backoff::kHalf;
  std::uint32_t fast_resend = 2;        // later ACKs that make a segment lost; 0: only timeouts do
  std::uint32_t fast_resend_limit = 5;  // transmissions after which only timeouts count
  bool congestion_window = false;       // false: nc = 1, the window alone limits
  std::uint32_t dead_link = 20;         // transmissions of one segment that report kDeadLink
  Milliseconds probe_first{500};        // zero window: first question
  Milliseconds probe_limit{5000};       // each wait is half as long again, up to this

  // ikcp_create without further calls: nodelay 0, 100, 0, 0; windows 32 and 128.
  static Config compatible(Conv conv);
  // ikcp_nodelay(nodelay, interval, resend, nc) as programs for KCP write it.
  Config& nodelay(int nodelay, int interval_ms, int resend, int nc);
  Config clamped() const;
};

}  // namespace ginnel::kcp
