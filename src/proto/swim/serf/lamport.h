// A Lamport clock (serf/lamport.go): later than everything that it has seen.
#pragma once
#include "proto/swim/serf/wire.h"

namespace ginnel::swim::serf {

class LamportClock {
 public:
  Ltime time() const { return time_; }
  // The time now; the next one is later.
  Ltime take() { return time_++; }
  void witness(Ltime seen) {
    if (seen >= time_) time_ = seen + 1;
  }

 private:
  Ltime time_ = 1;  // serf increments each of its clocks once when it starts
};

}  // namespace ginnel::swim::serf
