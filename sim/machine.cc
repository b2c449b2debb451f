#include "sim/machine.h"

#include <algorithm>

namespace ginnel::sim {

Machine::Machine(MachineId id, std::string name, const Topology& topology, Rng rng)
    : id_(id), name_(std::move(name)), topology_(topology), rng_(std::move(rng)) {}

std::optional<std::uint16_t> Machine::bind(PathId path, std::uint16_t port) {
  if (ports_.size() == kSocketsMax || ports_.contains(path)) return std::nullopt;
  constexpr std::uint16_t kCount = kEphemeralLast - kEphemeralFirst + 1;
  // More ephemeral ports than sockets: one is free.
  while (port == kAnyPort) {
    const auto tried = static_cast<std::uint16_t>(kEphemeralFirst + rng_.below(kCount));
    if (!paths_.contains(tried)) port = tried;
  }
  if (!paths_.emplace(port, path).second) return std::nullopt;
  ports_.emplace(path, port);
  return port;
}

void Machine::close(PathId path) {
  const auto it = ports_.find(path);
  if (it == ports_.end()) return;
  paths_.erase(it->second);
  ports_.erase(it);
}

std::vector<Address> Machine::addresses() const {
  std::vector<Address> out;
  for (const AttachmentId id : attachments_) {
    const auto& addresses = topology_.attachment(id).addresses;
    out.insert(out.end(), addresses.begin(), addresses.end());
  }
  return out;
}

std::size_t Machine::mtu_bytes(Instant now) const {
  std::size_t out = 65'535;
  for (const AttachmentId id : attachments_) {
    out = std::min(out, topology_.attachment(id).up.mtu_bytes(now));
  }
  return out;
}

std::optional<std::uint16_t> Machine::port_of(PathId path) const {
  const auto it = ports_.find(path);
  return it == ports_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<PathId> Machine::path_of(std::uint16_t port) const {
  const auto it = paths_.find(port);
  return it == paths_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<Machine::Way> Machine::way_to(const Address& target, const Address& source) const {
  std::optional<Way> out;
  for (const AttachmentId id : attachments_) {
    const Attachment& attachment = topology_.attachment(id);
    for (const Address& address : attachment.addresses) {
      if (address.is_v4() != target.is_v4()) continue;
      if (!source.is_unspecified() && address != source) continue;
      if (attachments_.size() == 1) return Way{id, address};
      if (topology_.zone(attachment.zone).routes.contains(target)) return Way{id, address};
      if (!out) out = Way{id, address};
    }
  }
  return out;
}

}  // namespace ginnel::sim
