// The world as a verb sees it: its streams, its environment, and whether people are watching.
// Tests give it strings; main() gives it the real ones.
#pragma once
#include <functional>
#include <istream>
#include <ostream>

namespace ginnel::cli {

struct Context {
  std::istream& in;
  std::ostream& out;      // data
  std::ostream& err;      // talk
  bool terminal = false;  // stdout is one: humanised units
  bool colour = false;    // terminal, and NO_COLOR is not set
  bool root = false;
  std::function<const char*(const char*)> get_environment;
  int interrupt_fd = -1;  // readable once ^C was pressed; -1: never
};

}  // namespace ginnel::cli
