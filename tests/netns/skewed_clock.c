// Preloaded, it makes a program's wall clock wrong by GINNEL_SKEW seconds, and no other clock.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec* out) {
  const int done = (int)syscall(SYS_clock_gettime, clock, out);
  const char* skew = getenv("GINNEL_SKEW");
  if (done == 0 && clock == CLOCK_REALTIME && skew != NULL) out->tv_sec += atol(skew);
  return done;
}
