// Tells systemd-resolved which server knows the network's names, for one link (split DNS): what
// `resolvectl dns` and `resolvectl domain` do, by its D-Bus interface
// (org.freedesktop.resolve1(5)).
//
//   auto resolved = Resolved::connect();                 // kNotRunning: this host has none
//   (*resolved)->set_link({tun.index(), {own_address}, "home.ginnel.internal"});
//   ~Resolved: the link is as it was
//
// One thread. Each call waits for its answer, at most kAnswerMax. Allocates.
#pragma once
#include <ginnel/error.h>

#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/instant.h"

struct sd_bus;

namespace ginnel::runtime {

struct LinkNames {
  std::uint32_t link = 0;        // interface index
  std::vector<Address> servers;  // asked on port 53
  std::string domain;            // names of it go there, and it is tried behind bare names
};

class Resolved {
 public:
  static constexpr Nanoseconds kAnswerMax = 2s;

  // Errors: kNotRunning (no system bus, or nobody there has the name).
  static Result<std::unique_ptr<Resolved>, Error> connect();
  // On a bus that is open; tests talk to a pretended resolved without one.
  explicit Resolved(sd_bus* bus) : bus_(bus) {}
  ~Resolved();
  Resolved(const Resolved&) = delete;

  // Errors: kPermission (polkit refuses), kInternal (resolved's own words). On error the link is as
  // it was.
  Result<void, Error> set_link(const LinkNames& names);

 private:
  Result<void, Error> set_servers(const LinkNames& names);
  Result<void, Error> set_domains(const LinkNames& names);
  Result<void, Error> set_default_route(std::uint32_t link);
  void revert();

  sd_bus* bus_;
  std::uint32_t link_ = 0;  // what revert() undoes; 0: nothing
};

// Whether programs of this host ask resolved: /etc/resolv.conf names its stub, or nsswitch.conf its
// module. A resolved that runs and is not asked is no use.
bool is_resolved_asked(std::string_view resolv_conf, std::string_view nsswitch_conf);

}  // namespace ginnel::runtime
