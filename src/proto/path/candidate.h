// Addresses at which a node may be reachable, and which of them are worth a packet.
#pragma once
#include <ginnel/types.h>

#include <cstdint>
#include <vector>

#include "base/address.h"

namespace ginnel::path {

// The numbers are on the wire, in call-me-maybe and in network info (table D).
enum class CandidateKind : std::uint8_t {
  kHost = 0,             // an interface's address; only end to end
  kServerReflexive = 1,  // as a hub or STUN saw it
  kMapped = 2,           // NAT-PMP, PCP, UPnP
  kPublic = 3,           // configured, or bound to an interface with a global address
  kPeerReflexive = 4,    // an authenticated packet came from there; never on the wire
};
inline constexpr std::uint8_t kCandidateKindLast = 3;

struct Candidate {
  CandidateKind kind = CandidateKind::kHost;
  Endpoint endpoint;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

// As many as one list may hold; a longer one is refused as a whole.
inline constexpr std::size_t kCandidatesMax = 16;

// Decides which addresses a peer may make us send to.
class CandidateFilter {
 public:
  // Subnets of own interfaces. 127.0.0.0/8 among them (a node bound to loopback) makes loopback
  // candidates acceptable.
  void set_local_subnets(std::vector<Prefix> subnets) { subnets_ = std::move(subnets); }
  // Own candidates and listening addresses: sending there would be talking to oneself.
  void set_own(std::vector<Candidate> own) { own_ = std::move(own); }
  // The overlay's own ranges: a path inside the overlay would carry itself.
  void set_overlay(std::vector<Prefix> overlay) { overlay_ = std::move(overlay); }

  // False for what no peer has: unspecified, loopback, link-local (the cloud's 169.254.169.254),
  // multicast, broadcast, IPv4-compatible and translated IPv6, ports of services that answer
  // strangers, the overlay, ourselves.
  bool acceptable(const Endpoint& endpoint) const;
  // Acceptable ones, each endpoint once (the kind that promises more counts), at most
  // kCandidatesMax, in the order given.
  std::vector<Candidate> accept(const std::vector<Candidate>& offered) const;
  bool is_local(const Address& address) const;
  const std::vector<Candidate>& own() const { return own_; }

 private:
  std::vector<Prefix> subnets_;
  std::vector<Candidate> own_;
  std::vector<Prefix> overlay_;
};

// The word for a direct path to such a candidate (docs/cli.md, "Status").
PathKind direct_kind(CandidateKind kind, const Endpoint& endpoint, const CandidateFilter& filter);

}  // namespace ginnel::path
