// A NAT or firewall for UDP: rewrites the endpoints of a packet that passes, or says why it does
// not. It knows no links and sees no bytes.
//
//   NatBox box({.mapping = Mapping::kAddressAndPortDependent}, outside_address, rng);
//   Flow flow{.source = inside, .target = remote};
//   if (box.outbound(now, flow) == NatVerdict::kForward) …   // flow.source is the outside endpoint
//
// Rows that timed out are found dead when they are looked at, and swept when the table has doubled.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/rng.h"
#include "sim/nat_config.h"

namespace ginnel::sim {

struct Flow {
  Endpoint source;
  Endpoint target;
};

enum class NatVerdict : std::uint8_t {
  kForward,    // out, or in to the inside endpoint now in the target
  kHairpin,    // both endpoints rewritten: back to the inside
  kNoMapping,  // the rest: the packet ends here, the flow is unchanged
  kFiltered,
  kBlocked,
  kNoHairpin,
  kFull,   // no free port or row; or PortConflict::kRefuse
  kLocal,  // Unsolicited::kAccept: taken by the box itself
};

class NatBox {
 public:
  NatBox(const NatConfig& config, const Address& outside, Rng rng);

  NatVerdict outbound(Instant now, Flow& flow);
  NatVerdict inbound(Instant now, Flow& flow);

  // The box restarts: every mapping is gone.
  void flush();
  // The provider gives another address: every mapping is gone.
  void set_outside(const Address& outside);

  const Address& outside() const { return outside_; }
  const NatConfig& config() const { return config_; }
  // Does this box rewrite the addresses of this family?
  bool translates(const Address& address) const;
  // Rows in the table, some of which may have timed out.
  std::size_t rows() const { return by_outside_.size(); }

  static constexpr std::size_t kRowsMax = 65'536;  // past it no new mapping is made
  static constexpr std::uint16_t kSequentialFirst = 30'000;
  static constexpr std::uint16_t kSequentialPorts = 4096;

 private:
  // Two endpoints as numbers, for fast ordered lookup.
  struct Key {
    std::array<std::uint64_t, 5> words{};
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Row {
    Endpoint inside;  // unspecified: the box itself (kAccept)
    Endpoint outside;
    Key inside_key;  // (inside, remote as far as mapping depends on it)
    Instant made;
    Instant used;  // by a packet that refreshes
    bool answered = false;
  };
  using Rows = std::map<Key, Row>;

  static Key key_of(const Endpoint& a, const Endpoint& b);
  bool passes_all(const Address& inside) const;
  Filtering filtering(const Address& address) const;
  Key inside_key(const Endpoint& inside, const Endpoint& remote) const;
  Key outside_key(const Endpoint& outside, const Endpoint& remote) const;
  Key permission_key(const Row& row, const Endpoint& remote) const;
  bool is_alive(const Row& row, Instant now) const;
  bool is_recent(const Row& row, Instant since, Instant now) const;

  // The row that a packet leaves by, made if need be; null: full.
  Row* mapping(Instant now, const Flow& flow);
  Row* find(Rows::iterator it, Instant now);
  Row* find_outside(Instant now, const Endpoint& outside, const Endpoint& remote);
  Row* make(Instant now, const Flow& flow);
  void erase(Rows::iterator it);
  void sweep(Instant now);
  bool is_permitted(Instant now, const Row& row, const Endpoint& remote) const;

  std::optional<std::uint16_t> choose_port(Instant now, const Flow& flow);
  std::optional<std::uint16_t> resolve_conflict(Instant now, const Flow& flow);
  std::optional<std::uint16_t> random_port(Instant now, const Endpoint& remote);
  std::optional<std::uint16_t> next_port(Instant now, const Endpoint& remote);
  bool is_free(Instant now, std::uint16_t port, const Endpoint& remote);

  NatConfig config_;
  Address outside_;
  Rng rng_;
  Rows by_outside_;                     // the table
  std::map<Key, Key> outside_of_;       // inside key -> key in by_outside_
  std::map<Key, Instant> permissions_;  // (outside, remote as far as filtering looks) -> last sent
  std::uint16_t sequential_ = 0;        // ports handed out in sequence, modulo kSequentialPorts
  std::size_t sweep_at_ = 1024;         // rows or permissions at which the dead are looked for
};

}  // namespace ginnel::sim
