// Signals as something to read, so that no code of ours runs inside a signal handler.
//
//   auto signals = Signals::block({SIGTERM, SIGINT, SIGHUP});   // before the first thread starts
//   loop.watch(signals->fd(), {.read = true}, [&](Ready) { while (auto s = signals->next()) ... });
//
// Never allocates after block().
#pragma once
#include <ginnel/error.h>

#include <csignal>
#include <initializer_list>
#include <optional>

#include "io/fd.h"

namespace ginnel::io {

class Signals {
 public:
  // Blocks these signals in this thread and in all that it starts later. A thread that is there
  // already would still be killed by them. The mask of before is restored when this goes.
  static Result<Signals, Error> block(std::initializer_list<int> numbers);
  Signals(Signals&& other) noexcept = default;
  ~Signals();

  // The next signal that came; nullopt: none waits.
  std::optional<int> next();
  int fd() const { return fd_.get(); }

 private:
  Signals(Fd fd, const sigset_t& before) : fd_(std::move(fd)), before_(before) {}
  Fd fd_;
  sigset_t before_;
};

}  // namespace ginnel::io
