#include "runtime/config/problem.h"

namespace ginnel::config {

std::string problem_line(std::string_view path, const Problem& problem) {
  std::string out(path);
  out += ":" + std::to_string(problem.at.line) + ":" + std::to_string(problem.at.column) + ": ";
  out += problem.text + " [" + std::string(code_name(problem.code)) + "]";
  if (!problem.suggestion.empty()) out += " did you mean \"" + problem.suggestion + "\"?";
  return out;
}

Error as_error(std::string_view path, const std::vector<Problem>& problems) {
  const std::string count =
      problems.size() == 1 ? "1 problem" : std::to_string(problems.size()) + " problems";
  return {problems.front().code, std::string(path) + ": " + count,
          "mend the file, then ginnel config check"};
}

}  // namespace ginnel::config
