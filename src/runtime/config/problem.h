// What is wrong with a configuration file, and where.
#pragma once
#include <ginnel/error.h>

#include <string>
#include <string_view>
#include <vector>

namespace ginnel::config {

struct Position {
  std::uint32_t line = 1;    // from 1
  std::uint32_t column = 1;  // from 1, in characters
};

struct Problem {
  Position at;
  Errc code = Errc::kConfigValue;
  std::string text;        // never holds the value of a secret key
  std::string suggestion;  // a known key or word; empty: none is close
};

// `PATH:LINE:COL: TEXT [E_CONFIG_KEY] did you mean "x"?`
std::string problem_line(std::string_view path, const Problem& problem);

// One error for all of them: its text counts them, its hint is what to do. `problems`: not empty.
Error as_error(std::string_view path, const std::vector<Problem>& problems);

}  // namespace ginnel::config
