#include "proto/path/candidate.h"

#include <algorithm>

namespace ginnel::path {
namespace {

// Services that answer one datagram of anyone with more: chargen, DNS, NTP, SNMP, SSDP, mDNS; and
// SMTP, which people firewall against. No node listens there.
bool is_forbidden_port(std::uint16_t port) {
  constexpr std::array<std::uint16_t, 8> kForbidden = {0, 19, 25, 53, 123, 161, 1900, 5353};
  return std::ranges::find(kForbidden, port) != kForbidden.end();
}

bool in_any(const std::vector<Prefix>& prefixes, const Address& address) {
  return std::ranges::any_of(prefixes, [&](const Prefix& p) { return p.contains(address); });
}

// ::/96 (IPv4-compatible, deprecated by RFC 4291 section 2.5.5.1) and 64:ff9b::/96 (RFC 6052): both
// would reach an IPv4 address that was not checked as one.
bool is_disguised_v4(const Address& address) {
  constexpr std::array<std::uint8_t, 12> kCompatible{};
  constexpr std::array<std::uint8_t, 12> kTranslated = {0x00, 0x64, 0xff, 0x9b};
  const auto starts_with = [&](const std::array<std::uint8_t, 12>& bytes) {
    return std::ranges::equal(bytes, std::span(address.bytes).first<12>());
  };
  return starts_with(kCompatible) || starts_with(kTranslated);
}

// 0.0.0.0/8 and 240.0.0.0/4 (RFC 6890): nobody's.
bool is_reserved_v4(const Address& address) {
  const std::uint32_t top = address.v4_value() >> 24;
  return address.is_v4() && (top == 0 || top >= 240);
}

bool is_subnet_broadcast(const std::vector<Prefix>& subnets, const Address& address) {
  return std::ranges::any_of(subnets, [&](const Prefix& p) {
    if (!address.is_v4() || p.length >= 127 || p.length < 96 || !p.contains(address)) return false;
    const std::uint32_t host_bits = (std::uint32_t{1} << (128 - p.length)) - 1;
    return (address.v4_value() & host_bits) == host_bits;
  });
}

}  // namespace

bool CandidateFilter::is_local(const Address& address) const { return in_any(subnets_, address); }

bool CandidateFilter::acceptable(const Endpoint& endpoint) const {
  const Address& address = endpoint.address;
  if (is_forbidden_port(endpoint.port)) return false;
  if (address.is_unspecified() || address.is_multicast_or_broadcast()) return false;
  if (address.is_loopback() && !is_local(address)) return false;
  if (address.is_link_local() || is_reserved_v4(address)) return false;
  if (!address.is_v4() && !address.is_loopback() && is_disguised_v4(address)) return false;
  if (in_any(overlay_, address) || is_subnet_broadcast(subnets_, address)) return false;
  return std::ranges::none_of(own_, [&](const Candidate& c) { return c.endpoint == endpoint; });
}

std::vector<Candidate> CandidateFilter::accept(const std::vector<Candidate>& offered) const {
  std::vector<Candidate> out;
  for (const Candidate& candidate : offered) {
    if (!acceptable(candidate.endpoint)) continue;
    const auto same = std::ranges::find(out, candidate.endpoint, &Candidate::endpoint);
    if (same != out.end()) {
      same->kind = std::max(same->kind, candidate.kind);
    } else if (out.size() < kCandidatesMax) {
      out.push_back(candidate);
    }
  }
  return out;
}

PathKind direct_kind(CandidateKind kind, const Endpoint& endpoint, const CandidateFilter& filter) {
  if (filter.is_local(endpoint.address)) return PathKind::kLan;
  switch (kind) {
    case CandidateKind::kMapped:
    case CandidateKind::kPublic:
      return PathKind::kDirect;
    case CandidateKind::kHost:
      return PathKind::kDirect;  // routed to us, though not our subnet
    case CandidateKind::kServerReflexive:
    case CandidateKind::kPeerReflexive:
      break;
  }
  return PathKind::kPunched;
}

}  // namespace ginnel::path
