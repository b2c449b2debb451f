// `ginnel completion SHELL`: a script made from the table of verbs, so that it never lags behind.
//
// Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace ginnel::cli {

// "bash", "zsh" or "fish"; nullopt: another one.
std::optional<std::string> completion_script(std::string_view shell);

}  // namespace ginnel::cli
