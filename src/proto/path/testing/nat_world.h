// For tests: two agents, a relay between them, and a small internet with NATs (RFC 4787 mapping and
// filtering, hop counts, the Linux conntrack clash) in virtual time.
//
//   World world;                                  // R = 100 ms through the relay, r = 50 ms direct
//   world.a.behind({.mapping = Mapping::kApdm});
//   world.start();  world.run_for(300ms);
//   world.a.agent->kind();
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "proto/path/agent.h"

namespace ginnel::path::testing {

using stun::Filtering;
using stun::Mapping;

struct NatOptions {
  Mapping mapping = Mapping::kEim;  // kNone: a firewall that translates nothing
  Filtering filtering = Filtering::kApdf;
  // Linux: a stranger's packet that INPUT accepts occupies the reply tuple, so that the inside
  // host's packet to that stranger leaves from another port.
  bool clash = false;
  bool hairpin = false;
};

class Nat {
 public:
  Nat(const Address& outside, const NatOptions& options) : options_(options), outside_(outside) {}

  Endpoint translate_out(const Endpoint& inside, const Endpoint& to);
  std::optional<Endpoint> translate_in(const Endpoint& from, const Endpoint& to);
  void forget() { mappings_.clear(), owners_.clear(), sent_.clear(), occupied_.clear(); }
  const Address& outside() const { return outside_; }
  const NatOptions& options() const { return options_; }

 private:
  using Key = std::pair<Endpoint, Endpoint>;
  Key key_of(const Endpoint& inside, const Endpoint& to) const;
  std::uint16_t free_port(std::uint16_t wanted);

  NatOptions options_;
  Address outside_;
  std::map<Key, std::uint16_t> mappings_;
  std::map<std::uint16_t, Endpoint> owners_;
  std::set<std::pair<std::uint16_t, Endpoint>> sent_;      // (outside port, remote)
  std::set<std::pair<std::uint16_t, Endpoint>> occupied_;  // by a stranger's packet
  std::uint16_t next_port_ = 30000;
};

struct World;

struct Site {
  std::string name;
  Endpoint host;  // the socket's own address
  Prefix subnet;
  std::vector<std::shared_ptr<Nat>> nats;  // from the inside out
  stun::NatClass nat_class;
  std::vector<Candidate> extra;
  std::unique_ptr<Agent> agent;
  Config config;
  std::unique_ptr<ProbeBudget> budget;
  std::vector<Agent::Event> events;
  std::size_t probes = 0;  // full-TTL and low-TTL ones over the socket
  std::map<Endpoint, std::size_t> probes_to;
  std::size_t calls = 0;
  std::optional<Instant> first_direct;
  Instant introduced;
  bool knows_peer = true;  // table D of the other
  std::size_t direct_selections = 0;

  void behind(const NatOptions& options);  // one more NAT around
  bool is_direct() const { return agent->selected() && agent->selected()->path == kSocket; }
};

struct World {
  Site a{.name = "a"};
  Site b{.name = "b"};
  Nanoseconds relay_one_way{50ms};
  Nanoseconds direct_one_way{25ms};
  bool blocked = false;  // the direct path, silently
  bool relay_down = false;
  std::function<bool(const Site&, ConstBytes)> lose;  // true: this frame is lost
  std::function<Nanoseconds()> jitter;                // added to the direct one-way delay
  bool duplicate = false;                             // each frame arrives twice
  std::size_t path_mtu = 1500;
  Instant now;

  World();
  // Makes the agents and tells them what they know; a (and b if `both`) wants the other now.
  void start(bool both = true);
  void introduce(Site& site);
  void run_for(Nanoseconds time);
  // Sends data from `from` on its selected path each `every`, for `time`.
  void talk(Site& from, Nanoseconds every, Nanoseconds time);
  Site& peer_of(const Site& site) { return &site == &a ? b : a; }
  std::vector<Candidate> candidates_of(Site& site);  // as STUN at the hub tells them
  // A frame that `to` gets as if authenticated.
  void deliver(Site& to, PathId path, const Endpoint& from, ConstBytes frame, std::size_t size);
  std::size_t received = 0;  // data packets

 private:
  struct Packet {
    Site* to = nullptr;
    PathId path;
    Endpoint from;
    ByteVector frame;
    std::size_t size = 0;
  };
  void drain(Site& site);
  void send(Site& site, const Transmit& transmit, ByteVector frame);
  void send_direct(Site& site, const Transmit& transmit, ByteVector frame, std::size_t size);
  void schedule(Nanoseconds delay, Packet packet);
  std::optional<Instant> next_event() const;
  void step();

  std::multimap<Instant, Packet> queue_;
};

inline constexpr PathId kRelay{1};
inline const Endpoint kHub{Address::v4(203, 0, 113, 2), 7700};

}  // namespace ginnel::path::testing
