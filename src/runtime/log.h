// Where the daemon's log goes, and how much of it: [log] of ginnel.toml.
//
//   open_log(config.log, &ring);   // once, before the first line
//   set_log_level(LogLevel::kDebug);
//
// Always standard error or the journal, never standard output. Lines come from spdlog::info() and
// its like, from any thread.
#pragma once
#include <string>
#include <string_view>

#include "runtime/config/config.h"
#include "runtime/control/line_ring.h"

namespace ginnel::runtime {

// "auto": the journal where systemd has connected standard error to it, else text. `ring`, if
// given, gets every line as a document, for `ginnel log`.
void open_log(const config::Config::Log& log, const control_api::LineRing* ring = nullptr);
void set_log_level(config::LogLevel level);

// One line of `log.format = "json"` and of `ginnel log`, without its newline: {"v":1,"time","level","text"}.
std::string json_log_line(std::string_view time, std::string_view level, std::string_view text);

}  // namespace ginnel::runtime
