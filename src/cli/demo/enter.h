// Going into a network namespace that `ip netns` made.
#pragma once
#include <ginnel/error.h>

#include <string>

#include "io/fd.h"

namespace ginnel::cli::demo {

// For good, as a child does before exec. `hosts`: a file that lies over /etc/hosts from now on, in
// a mount namespace of its own, so that names of the demo never get into the machine's. Both may
// be empty: nothing changes. Errors: kFile (no such namespace), kPermission.
Result<void, Error> enter(const std::string& network, const std::string& hosts);

// For a moment: what is opened while it lives (a socket, /proc/sys/net) belongs to the namespace.
class Visit {
 public:
  static Result<Visit, Error> begin(const std::string& network);
  Visit(Visit&&) noexcept = default;
  ~Visit();

 private:
  explicit Visit(io::Fd home) : home_(std::move(home)) {}
  io::Fd home_;  // none: it never left
};

}  // namespace ginnel::cli::demo
