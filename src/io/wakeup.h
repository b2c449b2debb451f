// Wakes the loop of another thread (eventfd). Many calls before the loop looks count as one.
//
// notify() from any thread and from signal handlers. Never allocates.
#pragma once
#include <ginnel/error.h>

#include "io/fd.h"

namespace ginnel::io {

class Wakeup {
 public:
  static Result<Wakeup, Error> make();
  void notify() const;
  // The loop's side: after fd() became readable.
  void acknowledge() const;
  int fd() const { return fd_.get(); }

 private:
  explicit Wakeup(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace ginnel::io
