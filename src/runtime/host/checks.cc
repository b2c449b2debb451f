#include "runtime/host/checks.h"

#include <algorithm>
#include <cmath>

#include "io/udp_socket.h"

namespace ginnel::host {
namespace {

constexpr std::int64_t kMebibyte = 1 << 20;

Check ok(std::string_view code, std::string text) {
  return {code, Severity::kOk, std::move(text), ""};
}

bool wants_tun(const NodeFacts& node) { return node.config.tun.enable != config::TunEnable::kNo; }
bool has_tun(const Daemon& daemon) { return daemon && daemon->tun; }

// docs/cli.md: "E_NO_TUN is a warning unless tun.enable = "yes"".
Severity without_tun(const NodeFacts& node) {
  return node.config.tun.enable == config::TunEnable::kYes ? Severity::kError : Severity::kWarning;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string size_text(std::int64_t bytes) {
  if (bytes % kMebibyte == 0) return std::to_string(bytes / kMebibyte) + " MiB";
  return std::to_string(bytes / 1024) + " KiB";
}

std::string span_text(Nanoseconds span) {
  const double seconds = std::abs(std::chrono::duration<double>(span).count());
  char out[40];
  if (seconds < 1) {
    std::snprintf(out, sizeof out, "%.0f ms", seconds * 1e3);
  } else if (seconds < 120) {
    std::snprintf(out, sizeof out, "%.0f s", seconds);
  } else {
    std::snprintf(out, sizeof out, "%.0f min", seconds / 60);
  }
  return out;
}

std::string who_is(const SurveyedHub& hub) {
  const std::string endpoint = hub.finding.endpoint.text();
  return hub.name == endpoint ? endpoint : hub.name + " (" + endpoint + ")";
}

}  // namespace

Check check_config(const NodeFacts& node) {
  constexpr std::string_view kCode = "E_CONFIG_VALUE";
  if (!node.config_error) return ok(kCode, "ginnel.toml has no problem");
  return {kCode, Severity::kError, first_line(node.config_error->text),
          node.config_error->hint.empty() ? "ginnel config check" : node.config_error->hint};
}

// A host can be looked at before it joins anything: that is no fault of it.
Check check_identity(const NodeFacts& node, const Daemon& daemon) {
  constexpr std::string_view kCode = "E_NOT_JOINED";
  if (daemon) return ok(kCode, "the daemon runs");
  if (node.identity_error) {
    return {kCode, Severity::kError, node.identity_error->text,
            node.identity_error->hint.empty() ? "run doctor as the user that runs the node"
                                              : node.identity_error->hint};
  }
  if (node.joined) return ok(kCode, "the identity is readable; no daemon runs");
  return ok(kCode, "no identity here yet (ginnel join, or ginnel init): only the host is checked");
}

Check check_files(const NodeFacts& node) {
  constexpr std::string_view kCode = "E_KEY_FILE_MODE";
  if (node.loose.empty()) return ok(kCode, "nobody else can read the state folder");
  std::vector<std::string> paths;
  for (const LooseFile& file : node.loose) paths.push_back(file.path.string());
  return {kCode, Severity::kError, "others can read " + joined(paths),
          "ginnel doctor --fix, or chmod go= these files; then consider the keys known"};
}

Check check_tun(const HostFacts& host, const NodeFacts& node, const Daemon& daemon) {
  constexpr std::string_view kCode = "E_NO_TUN";
  if (!wants_tun(node)) return ok(kCode, "no TUN device is wanted (tun.enable = \"no\")");
  if (has_tun(daemon)) return ok(kCode, "the daemon has its TUN device");
  if (host.tun_error) {
    return {kCode, without_tun(node), "no TUN device can be made: " + host.tun_error->text,
            host.tun_error->hint};
  }
  if (!daemon) return ok(kCode, "a TUN device can be made");
  return {kCode, without_tun(node), "the daemon runs without a TUN device, though one can be made",
          "ginnel down, then ginnel up"};
}

Check check_capability(const HostFacts& host, const NodeFacts& node, const Daemon& daemon) {
  constexpr std::string_view kCode = "E_CAPABILITY";
  if (has_tun(daemon)) return ok(kCode, "the daemon has what it needs");
  if (!wants_tun(node)) return ok(kCode, "no capability is needed without a TUN device");
  if (host.net_admin) return ok(kCode, "CAP_NET_ADMIN is there");
  return {kCode, without_tun(node),
          "CAP_NET_ADMIN is missing: no TUN device, no addresses, and UDP buffers as the system "
          "has them",
          "run as root; or setcap cap_net_admin+ep on the program; or AmbientCapabilities="
          "CAP_NET_ADMIN in its unit"};
}

Check check_range(const HostFacts& host, const NodeFacts& node, const Daemon& daemon) {
  constexpr std::string_view kCode = "E_ADDRESS_IN_USE";
  if (!wants_tun(node)) return ok(kCode, "no range is needed without a TUN device");
  if (!host.network) return ok(kCode, "the kernel does not tell which ranges are in use");
  io::InterfaceIndex own{};  // the daemon's device
  for (const io::InterfaceAddress& entry : host.network->addresses) {
    const bool ours = std::ranges::count(node.addresses, entry.address.text()) > 0;
    if (daemon && ours) own = entry.index;
  }
  const auto clash = io::find_clash(node.cidr, host.network->interfaces, host.network->addresses,
                                    host.network->routes, own);
  if (!clash) return ok(kCode, "the overlay range " + node.cidr.text() + " is free");
  return {kCode, Severity::kError,
          "the overlay range " + node.cidr.text() + " overlaps " + clash->range.text() + " on " +
              clash->interface,
          "take that range off " + clash->interface +
              ", or make the network with another --cidr"};
}

// The kernel takes the greater of "all" and the interface's (ip-sysctl, rp_filter).
Check check_reverse_path(const HostFacts& host) {
  constexpr std::string_view kCode = "E_RP_FILTER";
  int all = 0;
  std::vector<std::string> strict;
  for (const ReversePathFilter& filter : host.filters) {
    if (filter.interface == "all") all = filter.value;
  }
  for (const ReversePathFilter& filter : host.filters) {
    const bool is_all = filter.interface == "all";
    if (!is_all && std::max(all, filter.value) == 1) strict.push_back(filter.interface);
  }
  if (strict.empty()) return ok(kCode, "rp_filter is off or loose");
  return {kCode, Severity::kWarning,
          "rp_filter is strict on " + joined(strict) +
              ": packets that come another way than they would go are dropped",
          "ginnel doctor --fix, or sysctl -w net.ipv4.conf.all.rp_filter=2"};
}

Check check_forwarding(const HostFacts& host) {
  constexpr std::string_view kCode = "E_FORWARDING";
  if (!host.ip_forward) return ok(kCode, "the kernel does not tell net.ipv4.ip_forward");
  return ok(kCode, "net.ipv4.ip_forward is " + std::to_string(*host.ip_forward) +
                       "; this node forwards for no other host");
}

Check check_buffers(const HostFacts& host) {
  constexpr std::string_view kCode = "E_UDP_BUFFERS";
  if (!host.rmem_max) return ok(kCode, "the kernel does not tell net.core.rmem_max");
  const std::string found = "net.core.rmem_max is " + size_text(*host.rmem_max);
  if (*host.rmem_max >= kReceiveMaxWanted) return ok(kCode, found);
  return {kCode, Severity::kWarning, found + ": bursts are lost before they are read",
          "ginnel doctor --fix, or sysctl -w net.core.rmem_max=" +
              std::to_string(io::kSocketBufferBytes)};
}

Check check_port(const NodeFacts& node, const Daemon& daemon, const std::optional<Error>& bound) {
  constexpr std::string_view kCode = "E_PORT_BUSY";
  if (daemon) return ok(kCode, "the daemon listens on " + daemon->listen);
  if (!bound) return ok(kCode, "the UDP port is free");
  const bool only_kept = !node.config.node.listen && !node.config.hub;
  return {kCode, only_kept ? Severity::kWarning : Severity::kError, bound->text, bound->hint};
}

Check check_hosts_file(const HostFacts& host, const NodeFacts& node, const Daemon& daemon) {
  constexpr std::string_view kCode = "E_HOSTS_READ_ONLY";
  if (!node.config.dns.names) return ok(kCode, "no names are written (dns.names = \"off\")");
  const bool tun = has_tun(daemon) || (wants_tun(node) && !host.tun_error);
  if (!tun) return ok(kCode, "no names are written without a TUN device");
  if (host.hosts_trouble.empty()) return ok(kCode, "/etc/hosts can be written");
  return {kCode, Severity::kWarning,
          "/etc/hosts cannot be written (" + host.hosts_trouble +
              "): without systemd-resolved, peers have no names here",
          "make it writable (mount -o remount,rw, or chattr -i); or set dns.names = \"off\""};
}

Check check_hubs(const NodeFacts& node, const Survey& survey) {
  constexpr std::string_view kCode = "E_HUB_UNREACHABLE";
  if (survey.error) return {kCode, Severity::kError, survey.error->text, survey.error->hint};
  if (node.hubs.empty()) {
    return ok(kCode, node.hub ? "no other hub is known" : "no hub is known yet");
  }
  std::vector<std::string> silent;
  std::vector<std::string> fine;
  bool refused = false;
  for (const SurveyedHub& hub : survey.hubs) {
    const std::string who = who_is(hub);
    (hub.finding.rtt ? fine : silent).push_back(who);
    refused = refused || hub.finding.trouble == SendTrouble::kRefused;
  }
  for (const std::string& text : survey.unresolved) silent.push_back(text + " (name not found)");
  if (silent.empty()) return ok(kCode, "every hub answers over UDP: " + joined(fine));
  // A hub of several addresses needs one of them; a node needs one hub.
  const Severity severity = fine.empty() ? Severity::kError : Severity::kWarning;
  if (refused) {
    return {kCode, severity, "a firewall of this host refuses UDP to " + joined(silent),
            "let UDP out to these addresses (nft list ruleset shows the rule)"};
  }
  return {kCode, severity, "no answer over UDP from " + joined(silent),
          "check that the hub is up, and that each firewall between lets UDP to it and its "
          "answers back"};
}

Check check_clock(const Survey& survey) {
  constexpr std::string_view kCode = "E_CLOCK";
  const auto ahead = survey.clock_ahead();
  if (!ahead) return ok(kCode, "the clock was compared with nobody's: no hub told its own");
  const Nanoseconds off = std::chrono::abs(*ahead);
  if (off < kClockWarning) {
    return ok(kCode, "the clock agrees with the hub's within " + span_text(off));
  }
  return {kCode, off < kClockError ? Severity::kWarning : Severity::kError,
          "this clock is " + span_text(off) + (*ahead > Nanoseconds{0} ? " behind" : " ahead of") +
              " the hub's: certificates look expired or not yet valid",
          "set the clock of the one that is wrong (timedatectl set-ntp true)"};
}

Check check_path_mtu(const Survey& survey) {
  constexpr std::string_view kCode = "E_MTU_BLACK_HOLE";
  if (!survey.any_answer()) return ok(kCode, "no path to a hub to measure");
  std::size_t least = SIZE_MAX;
  for (const SurveyedHub& hub : survey.hubs) {
    const ProbeFinding& finding = hub.finding;
    if (finding.rtt) least = std::min(least, finding.mtu_bytes);
    if (!finding.is_black_hole()) continue;
    const std::size_t carried = std::max(finding.mtu_bytes, HubProbe::kPacketBytesMin);
    return {kCode, Severity::kWarning,
            "packets above " + std::to_string(finding.mtu_bytes) + " bytes vanish on the way to " +
                who_is(hub) + " and no router says so",
            "let ICMP \"fragmentation needed\" through on the way, or set the MTU of the outgoing "
            "interface to " + std::to_string(carried)};
  }
  return ok(kCode, "packets of " + std::to_string(least) + " bytes reach the hubs");
}

}  // namespace ginnel::host
