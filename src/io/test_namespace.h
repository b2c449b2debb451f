// For tests: runs something in a network namespace of its own, which is gone with the last thread
// and descriptor in it. Only the thread moves; the rest of the process stays.
#pragma once
#include <sched.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <thread>

namespace ginnel::io {

// Runs `body` in a new thread in a new namespace. Returns why that was not possible; empty: it ran.
template <class Body>
std::string in_namespace(Body&& body) {
  std::string why;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      why = "no network namespace: " + std::system_category().message(errno);
      return;
    }
    body();
  }).join();
  return why;
}

}  // namespace ginnel::io

// Runs a block of a test in a namespace; skips the test, with the reason, where there can be none.
#define IN_NAMESPACE(...)                                           \
  do {                                                              \
    const std::string why_not = ginnel::io::in_namespace([&] __VA_ARGS__); \
    if (!why_not.empty()) GTEST_SKIP() << why_not;                  \
  } while (false)
