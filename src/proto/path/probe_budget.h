// What all agents of a node together may send to addresses that never answered, so that no hub and
// no peer can aim them at a victim.
//
//   ProbeBudget budget({.probes_per_second = 500});     // the node's; agents borrow it
//   if (budget.allow(now, to.address)) send_probe();
//   budget.note_alive(now, from.address);                // an authenticated answer came from there
//
// Allocates one table entry per address tried lately, at most kAddressesMax.
#pragma once
#include <array>
#include <map>

#include "base/address.h"
#include "base/instant.h"

namespace ginnel::path {

class ProbeBudget {
 public:
  // Packets to one address that gave no sign of life, over all introductions, in kWindow: ten that
  // name one victim cost it no more than one.
  static constexpr std::size_t kPerSilentAddress = 20;
  static constexpr Nanoseconds kWindow = 60s;
  // How long an authenticated answer lifts that cap.
  static constexpr Nanoseconds kAliveFor = 600s;
  // Addresses remembered. At the limit those whose window has passed are forgotten; if none has,
  // new addresses get nothing.
  static constexpr std::size_t kAddressesMax = 2048;

  struct Options {
    std::uint32_t probes_per_second = 500;  // [punch] probes_per_second: all probes of the node
  };
  explicit ProbeBudget(const Options& options) : options_(options) {}
  ProbeBudget(const ProbeBudget&) = delete;
  ProbeBudget& operator=(const ProbeBudget&) = delete;

  // From the next probe on.
  void change(const Options& options) { options_ = options; }

  // True: send one, and it counts. False: not now.
  bool allow(Instant now, const Address& to);
  void note_alive(Instant now, const Address& address);
  std::size_t addresses() const { return table_.size(); }

 private:
  struct Row {
    Instant window_start;
    std::size_t sent = 0;
    Instant alive_until;
  };
  bool allow_rate(Instant now);
  bool make_room(Instant now);
  Row* row(Instant now, const Address& address);

  Options options_;
  std::map<Address, Row> table_;
  Nanoseconds saved_{
      1s};  // time saved up, at most a burst; one probe costs 1 s / probes_per_second
  Instant updated_;
  Instant next_sweep_;  // a full table is searched at most ten times a second
};

}  // namespace ginnel::path
