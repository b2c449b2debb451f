// From the words of the shell to a verb and its arguments.
#pragma once
#include <string>
#include <vector>

#include "cli/verb.h"

namespace ginnel::cli {

struct Parsed {
  const Verb* verb = nullptr;  // nullptr: no verb was given
  bool help = false;           // -h or --help
  Arguments arguments;
};

// `--dir` and `--json` may stand before or after the verb. Error: kUsage; its text names the
// nearest verb or flag where one is close. `words`: without the program's name.
Result<Parsed, Error> parse(const std::vector<std::string>& words);

// Whether `--json` stands among the words: errors of parse() follow it too.
bool wants_json(const std::vector<std::string>& words);

}  // namespace ginnel::cli
