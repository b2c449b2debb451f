// How programs of this host find the network's names while a TUN device is up (`dns.names`):
//
//   1. the node answers DNS on its overlay address
//   2. systemd-resolved, where the host asks it, is told to send the network's names there
//   3. elsewhere they stand in a marked block of /etc/hosts
//
//   Names names(loop, {tun.index(), own_addresses, "home", id});
//   names.set({{"bob", {address}}});
//   ~Names takes everything back
//
// Everything on the loop's thread. What cannot be done is logged, and the next way is tried.
#pragma once
#include <optional>

#include "runtime/names/dns_server.h"
#include "runtime/names/hosts_file.h"
#include "runtime/names/resolved.h"

namespace ginnel::runtime {

struct NamesOptions {
  std::uint32_t link = 0;          // the TUN device's interface index
  std::vector<Address> addresses;  // overlay addresses of this node, IPv4 first
  std::string network;
  Id id;
};

class Names {
 public:
  Names(io::EventLoop& loop, const NamesOptions& options);

  void set(const NameTable::Names& names);
  // "resolved", "hosts" or "none", for people.
  std::string_view way() const;

 private:
  void open_server(io::EventLoop& loop, const NamesOptions& options);
  void open_resolved(const NamesOptions& options);
  void write_hosts(const NameTable::Names& names);

  std::string network_;
  std::unique_ptr<DnsServer> server_;   // null: port 53 is not to be had
  std::unique_ptr<Resolved> resolved_;  // null: /etc/hosts
  std::optional<HostsFile> hosts_;
};

}  // namespace ginnel::runtime
