#include "cli/demo/world.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <vector>

#include "cli/demo/enter.h"
#include "io/system_error.h"

namespace ginnel::cli::demo {
namespace {

constexpr std::array<std::string_view, 6> kPlaces = {"internet", "hub",   "router-a",
                                                     "alice",    "router-b", "bob"};
constexpr std::string_view kInternet = "203.0.113.1";  // its address, the same on every cable
constexpr std::chrono::seconds kTearDownMax{10};

// Somebody with a public address, or behind a router that has one.
struct Site {
  std::string_view edge;  // who holds the public address
  std::string_view address;
  std::string_view cable;  // the internet's end
  std::string_view peer;   // behind it; empty: nobody
  std::string_view subnet; // "192.168.20"
  bool answers_from_any_port = false;
};

constexpr std::array<Site, 3> kSites = {{{"hub", kHubAddress, "to-hub", "", ""},
                                         {"router-a", kAliceRouter, "to-a", "alice", "192.168.20"},
                                         {"router-b", kBobRouter, "to-b", "bob", "192.168.30",
                                          true}}};

std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const auto part : parts) out += part;
  return out;
}

// One `ip` for many lines: starting it takes longer than what it does.
Result<void, Error> ip_batch(const std::string& network, const std::string& lines,
                             const Patience& patience) {
  const auto done = run_quietly(
      {.words = {"ip", "-batch", "-"}, .network = network, .input = lines}, patience);
  if (!done) return Fail(done.error());
  return {};
}

std::string internet_lines() {
  std::string out = "link set lo up\n";
  for (const Site& site : kSites) {
    out += join({"link set ", site.cable, " up\naddress add ", kInternet, "/32 dev ", site.cable,
                 "\nroute add ", site.address, "/32 dev ", site.cable, "\n"});
  }
  return out;
}

std::string edge_lines(const Site& site) {
  std::string out = join({"link set lo up\naddress add ", site.address, "/32 dev wan\n",
                          "link set wan up\nroute add ", kInternet, "/32 dev wan scope link\n",
                          "route add default via ",
                          kInternet, " dev wan onlink\n"});
  if (!site.peer.empty())
    out += join({"address add ", site.subnet, ".1/24 dev lan\nlink set lan up\n"});
  return out;
}

std::string peer_lines(const Site& site) {
  return join({"link set lo up\naddress add ", site.subnet, ".2/24 dev eth0\nlink set eth0 up\n",
               "route add default via ", site.subnet, ".1\n"});
}

Result<void, Error> forward_packets(const std::string& network) {
  const auto visit = Visit::begin(network);
  if (!visit) return Fail(visit.error());
  const char* path = "/proc/sys/net/ipv4/ip_forward";
  const io::Fd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), "1", 1) != 1)
    return Fail(io::system_error(errno, Errc::kFile, path));
  return {};
}

}  // namespace

std::string nat_rules(const Nat& nat) {
  std::string learn;
  // Who has been written to may write back from any port: to the inside port, which is the outside
  // one too. The flow of an answer from the same port is known already and comes not this way.
  if (nat.answers_from_any_port) {
    learn = join({R"(
  map inside { type inet_service : ipv4_addr; flags dynamic,timeout; timeout 60s; size 65535; }
  set asked { type inet_service . ipv4_addr; flags dynamic,timeout; timeout 60s; size 65535; }
  chain learn {
    type filter hook prerouting priority mangle;
    iifname "lan" ip saddr )", nat.lan, R"( meta l4proto udp update @inside { udp sport : ip saddr }
    iifname "lan" ip saddr )", nat.lan, R"( meta l4proto udp update @asked { udp sport . ip daddr }
  }
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname "wan" meta l4proto udp udp dport . ip saddr @asked dnat ip to udp dport map @inside
  })"});
  }
  // Without the drop in `input` an early packet of the other side would take the port in conntrack,
  // and the inside host's own packet would leave from another one.
  return join({"table inet nat {", learn, R"(
  chain input {
    type filter hook input priority filter; policy drop;
    iifname != "wan" accept
    ct state established,related accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ct status dnat accept
    iifname "lan" oifname "wan" accept
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "wan" masquerade
  }
}
)"});
}

Result<World, Error> World::build(const Patience& patience) {
  World world("gd" + std::to_string(::getpid()) + "-");
  using Step = Result<void, Error> (World::*)(const Patience&);
  for (const Step step : {&World::add_namespaces, &World::connect, &World::configure}) {
    if (auto done = (world.*step)(patience); !done) return Fail(done.error());
  }
  return world;
}

Result<void, Error> World::add_namespaces(const Patience& patience) {
  std::string lines;
  for (const auto place : kPlaces) lines += join({"netns add ", prefix_, place, "\n"});
  return ip_batch("", lines, patience);
}

Result<void, Error> World::connect(const Patience& patience) {
  std::string lines;
  for (const Site& site : kSites) {
    lines += join({"link add ", site.cable, " netns ", prefix_, "internet type veth peer name wan ",
                   "netns ", prefix_, site.edge, "\n"});
    if (site.peer.empty()) continue;
    lines += join({"link add lan netns ", prefix_, site.edge, " type veth peer name eth0 netns ",
                   prefix_, site.peer, "\n"});
  }
  return ip_batch("", lines, patience);
}

Result<void, Error> World::configure(const Patience& patience) {
  if (auto done = ip_batch(network("internet"), internet_lines(), patience); !done) return done;
  if (auto done = forward_packets(network("internet")); !done) return done;
  for (const Site& site : kSites) {
    if (auto done = ip_batch(network(site.edge), edge_lines(site), patience); !done) return done;
    if (site.peer.empty()) continue;
    if (auto done = ip_batch(network(site.peer), peer_lines(site), patience); !done) return done;
    if (auto done = forward_packets(network(site.edge)); !done) return done;
    const std::string lan = join({site.subnet, ".0/24"});
    const auto loaded = run_quietly({.words = {"nft", "-f", "-"}, .network = network(site.edge),
                                     .input = nat_rules({lan, site.answers_from_any_port})},
                                    patience);
    if (!loaded) return Fail(loaded.error());
  }
  return {};
}

World::~World() {
  if (prefix_.empty()) return;
  std::string lines;
  for (const auto place : kPlaces) {
    const std::string name = prefix_ + std::string(place);
    if (::access(("/run/netns/" + name).c_str(), F_OK) == 0) lines += "netns del " + name + "\n";
  }
  const auto end = std::chrono::steady_clock::now() + kTearDownMax;
  // What cannot be removed is left: there is nobody to tell.
  if (!lines.empty()) [[maybe_unused]] const auto done = run_quietly(
      {.words = {"ip", "-force", "-batch", "-"}, .input = lines}, {end, -1});
}

}  // namespace ginnel::cli::demo
