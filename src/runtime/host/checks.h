// The rules of doctor: what was found -> how it is, in words, and what mends it. One function per
// check; each gives its answer also where all is well.
//
// Pure: facts in, a value out. Allocates its texts.
#pragma once
#include "runtime/host/check.h"
#include "runtime/host/host_facts.h"
#include "runtime/host/node_facts.h"
#include "runtime/host/survey.h"

namespace ginnel::host {

// docs/cli.md, "doctor": "UDP buffers … warning below 4 MiB".
inline constexpr std::int64_t kReceiveMaxWanted = 4 << 20;
// docs/wire/ginnel.md section 5: 300 s of grace before a certificate is valid. Past it, nodes are
// refused; a tenth of it deserves a word.
inline constexpr Nanoseconds kClockError = 300s;
inline constexpr Nanoseconds kClockWarning = 30s;

// What a running daemon of the folder says of itself.
struct DaemonView {
  bool tun = false;
  std::string listen;  // "udp://[::]:7700"
};
using Daemon = std::optional<DaemonView>;

Check check_config(const NodeFacts& node);
Check check_identity(const NodeFacts& node, const Daemon& daemon);
Check check_files(const NodeFacts& node);
Check check_tun(const HostFacts& host, const NodeFacts& node, const Daemon& daemon);
Check check_capability(const HostFacts& host, const NodeFacts& node, const Daemon& daemon);
Check check_range(const HostFacts& host, const NodeFacts& node, const Daemon& daemon);
Check check_reverse_path(const HostFacts& host);
Check check_forwarding(const HostFacts& host);
Check check_buffers(const HostFacts& host);
// `bound`: of trying the node's port; none: it is free, or the daemon's own.
Check check_port(const NodeFacts& node, const Daemon& daemon, const std::optional<Error>& bound);
Check check_hosts_file(const HostFacts& host, const NodeFacts& node, const Daemon& daemon);
Check check_hubs(const NodeFacts& node, const Survey& survey);
Check check_clock(const Survey& survey);
Check check_path_mtu(const Survey& survey);

}  // namespace ginnel::host
