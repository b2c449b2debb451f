// Help texts, at most 80 columns: one line of purpose, two or three real examples, flags grouped
// with default and variable, exit codes (docs/cli.md, "Rules").
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "cli/verb.h"

namespace ginnel::cli {

std::string verb_help(const Verb& verb);
// All verbs by group, and where to read on.
std::string overview();
// Of a verb, a noun ("config"), an error code or a topic. nullopt: none of these.
std::optional<std::string> help_on(std::string_view topic);
// One paragraph: what it means, what to do. Empty: no such code.
std::string error_help(std::string_view code);
// Codes of doctor's checks that are no Errc; error_help knows them too.
std::vector<std::string_view> check_codes();
// "config", "exit-codes", …: topics() names them, topic_help() is their text or empty.
std::span<const std::string_view> topics();
std::string topic_help(std::string_view topic);
// The nearest thing that help_on knows; empty: none is close.
std::string nearest_topic(std::string_view topic);

// Breaks at spaces so that no line is longer than 80 columns; each line begins with `indent`.
std::string wrapped(std::string_view text, std::string_view indent);

}  // namespace ginnel::cli
