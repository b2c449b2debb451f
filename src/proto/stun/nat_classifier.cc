#include "proto/stun/nat_classifier.h"

#include <algorithm>

namespace ginnel::stun {

void NatClassifier::reset() {
  answers_.clear();
  change_port_.reset();
  stranger_.reset();
  asked_ = false;
}

void NatClassifier::set_own(std::vector<Address> addresses, std::uint16_t port) {
  own_ = std::move(addresses);
  own_port_ = port;
}

void NatClassifier::note_mapped(const Endpoint& server, const Endpoint& mapped) {
  if (answers_.size() >= kServersMax && !answers_.contains(server)) return;
  answers_[server] = mapped;
}

std::vector<Endpoint> NatClassifier::mapped() const {
  std::vector<Endpoint> out;
  for (const auto& [server, mapped] : answers_) {
    if (std::ranges::find(out, mapped) == out.end()) out.push_back(mapped);
  }
  return out;
}

// One server's two ports tell whether the mapping depends on the port; two server addresses whether
// it depends on the address. A difference between addresses alone leaves the port open: the worse
// class is assumed until a second port was asked. IPv4 and IPv6 answers are about two mappings.
Mapping NatClassifier::mapping() const {
  bool compared = false;
  bool ports_differ = false;
  bool ports_same = false;
  bool addresses_differ = false;
  bool translated = false;
  for (auto a = answers_.begin(); a != answers_.end(); ++a) {
    const bool own = std::ranges::find(own_, a->second.address) != own_.end();
    translated = translated || !own || a->second.port != own_port_;
    for (auto b = std::next(a); b != answers_.end(); ++b) {
      if (a->first.address.is_v4() != b->first.address.is_v4()) continue;
      compared = true;
      const bool differ = a->second != b->second;
      const bool one_address = a->first.address == b->first.address;
      ports_differ = ports_differ || (one_address && differ);
      ports_same = ports_same || (one_address && !differ);
      addresses_differ = addresses_differ || (!one_address && differ);
    }
  }
  if (!answers_.empty() && !translated) return Mapping::kNone;
  if (!compared) return Mapping::kUnknown;
  if (ports_differ) return Mapping::kApdm;
  if (addresses_differ) return ports_same ? Mapping::kAdm : Mapping::kApdm;
  return Mapping::kEim;
}

// A stranger's packet that arrived settles it. That a server's other port gets through says "not
// port-dependent"; whether addresses matter takes a stranger's packet to be expected and missed.
Filtering NatClassifier::filtering() const {
  if (stranger_ == true) return Filtering::kEif;
  if (change_port_ == false) return Filtering::kApdf;
  if (change_port_ == true && stranger_ == false) return Filtering::kAdf;
  return Filtering::kUnknown;
}

}  // namespace ginnel::stun
