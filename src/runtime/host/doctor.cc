#include "runtime/host/doctor.h"

#include <fstream>

#include "io/udp_socket.h"

namespace ginnel::host {
namespace {

// Where the daemon would bind (Engine::open_main_socket). nullopt: any free port does.
std::optional<Endpoint> wanted_port(const NodeFacts& node) {
  if (node.config.node.listen) return node.config.node.listen;
  if (node.config.hub) return Endpoint{{}, config::kDefaultHubPort};
  if (node.kept_port) return Endpoint{{}, *node.kept_port};
  return std::nullopt;
}

std::optional<Error> try_port(const NodeFacts& node, const Daemon& daemon) {
  const auto wanted = wanted_port(node);
  if (daemon || !wanted || wanted->port == 0) return std::nullopt;
  const auto socket = io::UdpSocket::open({.bind = *wanted});
  return socket ? std::nullopt : std::optional(socket.error());
}

// The file as `sysctl -w` would write it.
std::string set_number(const std::string& path, std::int64_t value) {
  std::ofstream out(path);
  out << value << std::flush;
  const std::string what = path + " = " + std::to_string(value);
  return out ? "set " + what : "could not set " + what + ": run doctor --fix as root";
}

std::optional<std::int64_t> current_number(const std::string& path) {
  std::ifstream in(path);
  std::int64_t value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

// Only ever raised: somebody may have wanted more.
void raise_limit(const char* path, std::vector<std::string>& mended) {
  const auto now = current_number(path);
  if (now && *now < io::kSocketBufferBytes) {
    mended.push_back(set_number(path, io::kSocketBufferBytes));
  }
}

void mend_host(const HostFacts& host, std::vector<std::string>& mended) {
  if (check_reverse_path(host).severity != Severity::kOk) {
    mended.push_back(set_number(std::string(kReversePathFolder) + "all/rp_filter", 2));
  }
  if (check_buffers(host).severity != Severity::kOk) {
    raise_limit(kReceiveMaxFile, mended);
    raise_limit(kSendMaxFile, mended);
  }
}

void mend_files(const NodeFacts& node, std::vector<std::string>& mended) {
  for (const LooseFile& file : node.loose) {
    const auto done = tighten(file);
    mended.push_back(done ? "took group's and others' rights from " + file.path.string()
                          : "could not: " + done.error().text);
  }
}

Address bind_address(const NodeFacts& node) {
  return node.config.node.listen ? node.config.node.listen->address : Address{};
}

}  // namespace

Diagnosis examine(const DoctorOptions& options) {
  Diagnosis out;
  const Daemon& daemon = options.daemon;
  NodeFacts node = read_node_facts(options.places, options.get_environment);
  const HostReading reading{.try_tun = !(daemon && daemon->tun) &&
                                       node.config.tun.enable != config::TunEnable::kNo};
  HostFacts host = read_host_facts(reading);
  if (options.fix) {
    mend_files(node, out.mended);
    mend_host(host, out.mended);
    if (!out.mended.empty()) {
      node = read_node_facts(options.places, options.get_environment);
      host = read_host_facts(reading);
    }
  }
  const auto bound = try_port(node, daemon);
  const Survey survey = survey_hubs(node.hubs, {.bind = bind_address(node)});
  out.checks = {check_config(node),
                check_identity(node, daemon),
                check_files(node),
                check_tun(host, node, daemon),
                check_capability(host, node, daemon),
                check_range(host, node, daemon),
                check_reverse_path(host),
                check_forwarding(host),
                check_buffers(host),
                check_port(node, daemon, bound),
                check_hosts_file(host, node, daemon),
                check_hubs(node, survey),
                check_clock(survey),
                check_path_mtu(survey)};
  return out;
}

}  // namespace ginnel::host
