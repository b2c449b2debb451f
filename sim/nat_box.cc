#include "sim/nat_box.h"

#include "base/assert.h"
#include "base/reader.h"

namespace ginnel::sim {
namespace {

constexpr std::uint16_t kFirstPort = 1024;
constexpr std::uint32_t kPorts = 65'536 - kFirstPort;

}  // namespace

NatBox::NatBox(const NatConfig& config, const Address& outside, Rng rng)
    : config_(config), outside_(outside), rng_(std::move(rng)) {
  // A port shared among remotes tells them apart by nothing but the remote.
  GINNEL_ASSERT(config.conflict != PortConflict::kPerRemote || config.mapping == Mapping::kNone ||
                config.mapping == Mapping::kAddressAndPortDependent);
  GINNEL_ASSERT(config.conflict != PortConflict::kPerRemote ||
                config.filtering == Filtering::kAddressAndPortDependent);
  GINNEL_ASSERT(config.unsolicited != Unsolicited::kAccept ||
                config.conflict == PortConflict::kPerRemote);
}

bool NatBox::translates(const Address& address) const {
  return config_.mapping != Mapping::kNone && address.is_v4();
}

Filtering NatBox::filtering(const Address& address) const {
  return address.is_v4() ? config_.filtering : config_.v6_filtering;
}

// Nothing to remember: no translation, no filter.
bool NatBox::passes_all(const Address& inside) const {
  return !translates(inside) && filtering(inside) == Filtering::kEndpointIndependent;
}

NatBox::Key NatBox::key_of(const Endpoint& a, const Endpoint& b) {
  Reader first(bytes_of(a.address.bytes));
  Reader second(bytes_of(b.address.bytes));
  Key key;
  key.words = {first.u64be(), first.u64be(), second.u64be(), second.u64be(),
               static_cast<std::uint64_t>(a.port) << 16 | b.port};
  return key;
}

NatBox::Key NatBox::inside_key(const Endpoint& inside, const Endpoint& remote) const {
  if (!translates(inside.address)) return key_of(inside, {});
  switch (config_.mapping) {
    case Mapping::kAddressDependent:
      return key_of(inside, {remote.address, 0});
    case Mapping::kAddressAndPortDependent:
      return key_of(inside, remote);
    default:
      return key_of(inside, {});
  }
}

NatBox::Key NatBox::outside_key(const Endpoint& outside, const Endpoint& remote) const {
  const bool per_remote =
      config_.conflict == PortConflict::kPerRemote && translates(outside.address);
  return key_of(outside, per_remote ? remote : Endpoint{});
}

NatBox::Key NatBox::permission_key(const Row& row, const Endpoint& remote) const {
  const bool by_port = filtering(row.inside.address) == Filtering::kAddressAndPortDependent;
  return key_of(row.outside, by_port ? remote : Endpoint{remote.address, 0});
}

bool NatBox::is_recent(const Row& row, Instant since, Instant now) const {
  const bool as_stream = row.answered && config_.stream_timeout > 0ns;
  return now - since < (as_stream ? config_.stream_timeout : config_.timeout);
}

bool NatBox::is_alive(const Row& row, Instant now) const {
  if (config_.lifetime > 0ns && now - row.made >= config_.lifetime) return false;
  return is_recent(row, row.used, now);
}

void NatBox::erase(Rows::iterator it) {
  const auto inside = outside_of_.find(it->second.inside_key);
  if (inside != outside_of_.end() && inside->second == it->first) outside_of_.erase(inside);
  by_outside_.erase(it);
}

NatBox::Row* NatBox::find(Rows::iterator it, Instant now) {
  if (it == by_outside_.end()) return nullptr;
  if (is_alive(it->second, now)) return &it->second;
  erase(it);
  return nullptr;
}

NatBox::Row* NatBox::find_outside(Instant now, const Endpoint& outside, const Endpoint& remote) {
  return find(by_outside_.find(outside_key(outside, remote)), now);
}

void NatBox::sweep(Instant now) {
  if (std::max(by_outside_.size(), permissions_.size()) < sweep_at_) return;
  for (auto it = by_outside_.begin(); it != by_outside_.end();) {
    const auto row = it++;
    if (!is_alive(row->second, now)) erase(row);
  }
  const Nanoseconds longest = std::max(config_.timeout, config_.stream_timeout);
  std::erase_if(permissions_, [&](const auto& entry) { return now - entry.second >= longest; });
  sweep_at_ = 2 * std::max<std::size_t>(512, std::max(by_outside_.size(), permissions_.size()));
}

bool NatBox::is_free(Instant now, std::uint16_t port, const Endpoint& remote) {
  return find_outside(now, {outside_, port}, remote) == nullptr;
}

std::optional<std::uint16_t> NatBox::random_port(Instant now, const Endpoint& remote) {
  const auto start = static_cast<std::uint32_t>(rng_.below(kPorts));
  for (std::uint32_t i = 0; i < kPorts; ++i) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + (start + i) % kPorts);
    if (is_free(now, port, remote)) return port;
  }
  return std::nullopt;
}

std::optional<std::uint16_t> NatBox::next_port(Instant now, const Endpoint& remote) {
  for (std::uint32_t i = 0; i < kSequentialPorts; ++i) {
    const auto port = static_cast<std::uint16_t>(kSequentialFirst + sequential_);
    sequential_ = static_cast<std::uint16_t>((sequential_ + 1) % kSequentialPorts);
    if (is_free(now, port, remote)) return port;
  }
  return std::nullopt;
}

std::optional<std::uint16_t> NatBox::resolve_conflict(Instant now, const Flow& flow) {
  switch (config_.conflict) {
    case PortConflict::kTakeOver:
      erase(by_outside_.find(outside_key({outside_, flow.source.port}, flow.target)));
      return flow.source.port;
    case PortConflict::kRefuse:
      return std::nullopt;
    case PortConflict::kAnotherPort:
    case PortConflict::kPerRemote:
      break;
  }
  return random_port(now, flow.target);
}

std::optional<std::uint16_t> NatBox::choose_port(Instant now, const Flow& flow) {
  if (!translates(flow.source.address)) return flow.source.port;
  switch (config_.allocation) {
    case PortAllocation::kRandom:
      return random_port(now, flow.target);
    case PortAllocation::kSequential:
      return next_port(now, flow.target);
    case PortAllocation::kPreserve:
      break;
  }
  if (is_free(now, flow.source.port, flow.target)) return flow.source.port;
  return resolve_conflict(now, flow);
}

NatBox::Row* NatBox::make(Instant now, const Flow& flow) {
  sweep(now);
  if (by_outside_.size() >= kRowsMax) return nullptr;
  const auto port = choose_port(now, flow);
  if (!port) return nullptr;
  const Address address = translates(flow.source.address) ? outside_ : flow.source.address;
  const Row row{.inside = flow.source,
                .outside = {address, *port},
                .inside_key = inside_key(flow.source, flow.target),
                .made = now,
                .used = now};
  const Key key = outside_key(row.outside, flow.target);
  outside_of_.insert_or_assign(row.inside_key, key);
  return &by_outside_.insert_or_assign(key, row).first->second;
}

NatBox::Row* NatBox::mapping(Instant now, const Flow& flow) {
  const auto known = outside_of_.find(inside_key(flow.source, flow.target));
  if (known != outside_of_.end()) {
    if (Row* row = find(by_outside_.find(known->second), now)) return row;
  }
  return make(now, flow);
}

NatVerdict NatBox::outbound(Instant now, Flow& flow) {
  if (config_.blocks_udp) return NatVerdict::kBlocked;
  if (passes_all(flow.source.address)) return NatVerdict::kForward;
  const bool turns = translates(flow.source.address) && flow.target.address == outside_;
  if (turns && !config_.hairpin) return NatVerdict::kNoHairpin;
  Row* row = mapping(now, flow);
  if (row == nullptr) return NatVerdict::kFull;
  row->used = now;
  const bool remembers_remote =
      config_.conflict != PortConflict::kPerRemote || !translates(flow.source.address);
  if (remembers_remote && filtering(flow.source.address) != Filtering::kEndpointIndependent) {
    permissions_.insert_or_assign(permission_key(*row, flow.target), now);
  }
  Flow out{row->outside, flow.target};
  if (turns) {
    // RFC 4787 REQ-9: the inside host sees the outside endpoint as the source.
    const NatVerdict back = inbound(now, out);
    if (back != NatVerdict::kForward) return back;
  }
  flow = out;
  return turns ? NatVerdict::kHairpin : NatVerdict::kForward;
}

bool NatBox::is_permitted(Instant now, const Row& row, const Endpoint& remote) const {
  if (filtering(row.inside.address) == Filtering::kEndpointIndependent) return true;
  if (config_.conflict == PortConflict::kPerRemote && translates(row.inside.address)) return true;
  const auto it = permissions_.find(permission_key(row, remote));
  return it != permissions_.end() && is_recent(row, it->second, now);
}

NatVerdict NatBox::inbound(Instant now, Flow& flow) {
  if (config_.blocks_udp) return NatVerdict::kBlocked;
  if (passes_all(flow.target.address)) return NatVerdict::kForward;
  Row* row = find_outside(now, flow.target, flow.source);
  if (row == nullptr) {
    if (config_.unsolicited != Unsolicited::kAccept || flow.target.address != outside_) {
      return NatVerdict::kNoMapping;
    }
    sweep(now);
    if (by_outside_.size() >= kRowsMax) return NatVerdict::kFull;
    by_outside_.insert_or_assign(outside_key(flow.target, flow.source),
                                 Row{.outside = flow.target, .made = now, .used = now});
    return NatVerdict::kLocal;
  }
  if (row->inside.address.is_unspecified()) {
    row->used = now;
    return NatVerdict::kLocal;
  }
  if (!is_permitted(now, *row, flow.source)) return NatVerdict::kFiltered;
  row->answered = true;
  if (config_.inbound_refreshes) {
    row->used = now;
    const auto permission = permissions_.find(permission_key(*row, flow.source));
    if (permission != permissions_.end()) permission->second = now;
  }
  flow.target = row->inside;
  return NatVerdict::kForward;
}

void NatBox::flush() {
  by_outside_.clear();
  outside_of_.clear();
  permissions_.clear();
}

void NatBox::set_outside(const Address& outside) {
  outside_ = outside;
  flush();
}

}  // namespace ginnel::sim
