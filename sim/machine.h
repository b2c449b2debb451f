// The machine under a host: its sockets, addresses and entropy; what its kernel would offer.
//
//   machine.bind(kSocket, 7700);            // datagrams for port 7700 arrive with this path
//   machine.bind(PathId{5}, Machine::kAnyPort);
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "sim/host.h"
#include "sim/ids.h"
#include "sim/topology.h"

namespace ginnel::sim {

class Machine {
 public:
  static constexpr std::uint16_t kAnyPort = 0;
  // Linux ip_local_port_range.
  static constexpr std::uint16_t kEphemeralFirst = 32'768;
  static constexpr std::uint16_t kEphemeralLast = 60'999;
  static constexpr std::size_t kSocketsMax = 4096;  // past it bind fails

  Machine(MachineId id, std::string name, const Topology& topology, Rng rng);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  MachineId id() const { return id_; }
  const std::string& name() const { return name_; }
  // The port bound, on all addresses. nullopt: in use, or no port is left; nothing changed.
  std::optional<std::uint16_t> bind(PathId path, std::uint16_t port);
  void close(PathId path);
  // Of all connected attachments, in the order in which they were attached.
  std::vector<Address> addresses() const;
  // The smallest MTU among them.
  std::size_t mtu_bytes(Instant now) const;
  // A new stream each time: what a process takes from the kernel when it starts.
  Rng rng() { return rng_.fork("process"); }

  bool is_up() const { return is_up_; }
  bool is_running() const { return is_up_ && !is_suspended_; }
  const std::vector<AttachmentId>& attachments() const { return attachments_; }
  std::optional<std::uint16_t> port_of(PathId path) const;
  std::optional<PathId> path_of(std::uint16_t port) const;
  // The attachment and address that a datagram leaves by. `source` unspecified: the interface in
  // the target's own zone if there is one, else the first with an address of its family.
  struct Way {
    AttachmentId attachment;
    Address source;
  };
  std::optional<Way> way_to(const Address& target, const Address& source) const;

 private:
  friend class World;  // starts it, stops it, plugs it in

  MachineId id_;
  std::string name_;
  const Topology& topology_;
  Rng rng_;
  std::unique_ptr<Host> host_;
  std::vector<AttachmentId> attachments_;
  std::map<PathId, std::uint16_t> ports_;
  std::map<std::uint16_t, PathId> paths_;  // the same the other way round
  bool is_up_ = false;
  bool is_suspended_ = false;
  Nanoseconds wall_offset_{0};
  std::optional<Instant> wake_at_;  // when its kWake event comes; others are stale
  Instant last_timeout_{-1};
  std::uint32_t timeouts_at_once_ = 0;  // at the instant last_timeout_
};

}  // namespace ginnel::sim
