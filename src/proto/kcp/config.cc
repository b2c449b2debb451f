#include "proto/kcp/config.h"

#include <algorithm>

namespace ginnel::kcp {

Config Config::compatible(Conv conv) {
  Config config;
  config.conv = conv;
  config.mode = Mode::kCompatible;
  config.framing = Framing::kMessage;
  config.send_window_segments = 32;
  config.receive_window_segments = 128;
  config.congestion_window = true;
  config.probe_first = Milliseconds(5000);
  config.probe_limit = Milliseconds(120000);
  return config.nodelay(0, 100, 0, 0);
}

Config& Config::nodelay(int nodelay, int interval_ms, int resend, int nc) {
  backoff = nodelay <= 0 ? Backoff::kDouble : nodelay == 1 ? Backoff::kHalf : Backoff::kHalfOfBase;
  rto_min = Milliseconds(nodelay <= 0 ? 100 : 30);  // IKCP_RTO_MIN, IKCP_RTO_NDL
  interval = Milliseconds(interval_ms);
  fast_resend = static_cast<std::uint32_t>(std::max(resend, 0));
  congestion_window = nc == 0;
  return *this;
}

Config Config::clamped() const {
  Config out = *this;
  out.mtu_bytes = std::clamp(mtu_bytes, kMtuMin, kMtuMax);
  out.send_window_segments = std::clamp(send_window_segments, 1u, kWindowMax);
  out.receive_window_segments = std::clamp(receive_window_segments, 1u, kWindowMax);
  out.send_bytes_max = std::max(send_bytes_max, kMtuMax);
  out.receive_bytes_max = std::max(receive_bytes_max, kReceiveBytesMin);
  out.interval = std::clamp(interval, kIntervalMin, kIntervalMax);
  out.rto_min = std::clamp(rto_min, kIntervalMin, kRtoMax);
  out.probe_first = std::clamp(probe_first, kIntervalMin, kRtoMax);
  out.probe_limit = std::max(probe_limit, out.probe_first);
  return out;
}

}  // namespace ginnel::kcp
