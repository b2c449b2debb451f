#include "runtime/names/names.h"

#include <spdlog/spdlog.h>

#include "io/file.h"

namespace ginnel::runtime {
namespace {

constexpr std::size_t kSystemFileMax = 64 << 10;

std::string system_file(const char* path) {
  const auto bytes = io::read_file(path, {.bytes_max = kSystemFileMax});
  return bytes ? std::string(text_of(*bytes)) : std::string();
}

void warn(const Error& error) { spdlog::warn("names: {} [{}]", error.text, code_name(error.code)); }

}  // namespace

Names::Names(io::EventLoop& loop, const NamesOptions& options) : network_(options.network) {
  open_server(loop, options);
  if (server_) open_resolved(options);
  if (!resolved_) hosts_.emplace("/etc/hosts", options.id);
}

void Names::open_server(io::EventLoop& loop, const NamesOptions& options) {
  if (options.addresses.empty()) return;
  auto server = DnsServer::open(loop, options.addresses.front(), options.network);
  if (!server) return warn(server.error());
  server_ = *std::move(server);
}

void Names::open_resolved(const NamesOptions& options) {
  if (!is_resolved_asked(system_file("/etc/resolv.conf"), system_file("/etc/nsswitch.conf")))
    return;
  auto resolved = Resolved::connect();
  if (!resolved) return;
  const LinkNames names{options.link, {options.addresses.front()}, server_->names().domain()};
  if (const auto done = (*resolved)->set_link(names); !done) return warn(done.error());
  resolved_ = *std::move(resolved);
}

void Names::set(const NameTable::Names& names) {
  if (server_) server_->names().set(names);
  if (hosts_) write_hosts(names);
}

void Names::write_hosts(const NameTable::Names& names) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& [name, addresses] : names) {
    for (const Address& address : addresses) lines.emplace_back(name, address.text());
  }
  const auto done = hosts_->write(hosts_lines(network_, std::move(lines)));
  if (done) return;
  warn(done.error());
  hosts_.reset();
}

std::string_view Names::way() const {
  if (resolved_) return "resolved";
  return hosts_ ? "hosts" : "none";
}

}  // namespace ginnel::runtime
