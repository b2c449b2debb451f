// A thread that is started while this lives gets no signals: the program's handlers are for its own
// threads.
#pragma once
#include <csignal>
#include <pthread.h>

namespace ginnel::runtime {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace ginnel::runtime
