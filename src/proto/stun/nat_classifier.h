// Classifies the NAT in front of a socket from what STUN servers answered to it (RFC 5780 section
// 4, with ports in the place of a second server address).
//
//   NatClassifier nat;
//   nat.set_own(addresses, port);
//   nat.note_mapped(hub_main, mapped);   nat.note_mapped(hub_probe, mapped2);
//   nat.note_change_port(true);          // the probe port's answer came, or did not
//   nat.classify();
//
// All answers must be about one socket. Keeps kServersMax answers; never forgets but by reset().
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "base/address.h"
#include "proto/stun/nat_class.h"

namespace ginnel::stun {

class NatClassifier {
 public:
  // Further servers are ignored: a class needs three of them.
  static constexpr std::size_t kServersMax = 16;

  // The network changed: nothing that was measured counts any more.
  void reset();
  // The addresses of our own interfaces and the port that the socket is bound to.
  void set_own(std::vector<Address> addresses, std::uint16_t port);
  // A request went out. When nothing ever comes back UDP is blocked.
  void note_asked(const Endpoint& server) { asked_ = asked_ || server.port != 0; }
  // `server` saw us as `mapped`. A later answer of the same server replaces the earlier one.
  void note_mapped(const Endpoint& server, const Endpoint& mapped);
  // Whether an answer came from the other port of a server, one that this socket had not sent to.
  // Ask for it before the probe port itself is asked: that would open the filter.
  void note_change_port(bool answered) { change_port_ = answered; }
  // Whether a packet came from an address that this socket had not sent to.
  void note_stranger(bool arrived) { stranger_ = arrived; }

  NatClass classify() const { return {mapping(), filtering()}; }
  bool udp_blocked() const { return asked_ && answers_.empty(); }
  // What servers see, without repetitions, in order of server endpoint.
  std::vector<Endpoint> mapped() const;

 private:
  Mapping mapping() const;
  Filtering filtering() const;

  std::map<Endpoint, Endpoint> answers_;  // server -> what it saw
  std::vector<Address> own_;
  std::uint16_t own_port_ = 0;
  std::optional<bool> change_port_;
  std::optional<bool> stranger_;
  bool asked_ = false;
};

}  // namespace ginnel::stun
