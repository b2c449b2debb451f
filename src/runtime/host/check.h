// One answer of `doctor`: what was looked at, how it is, and what would mend it.
//
// Values.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace ginnel::host {

enum class Severity : std::uint8_t { kOk, kWarning, kError };

// "ok", "warning", "error", as docs/cli.md, "doctor", has them.
constexpr std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kOk: return "ok";
    case Severity::kWarning: return "warning";
    case Severity::kError: break;
  }
  return "error";
}

struct Check {
  std::string_view code;  // the same whether it passes or not; `ginnel help CODE` explains it
  Severity severity = Severity::kOk;
  std::string text;
  std::string fix;  // empty: nothing to mend
};

}  // namespace ginnel::host
