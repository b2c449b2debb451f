// From the text of ginnel.toml to a Config, with every problem at once.
//
//   const Loaded loaded = load(text);
//   for (const Problem& p : loaded.problems) std::cerr << problem_line(path, p) << "\n";
//
// Pure: reads no file and no environment. Precedence (docs/cli.md): flag, environment, file,
// what the network says, built-in; this holds file and built-in, apply_environment the next.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/config.h"
#include "runtime/config/problem.h"
#include "runtime/config/toml_file.h"

namespace ginnel::config {

// A key with the value that counts and where it comes from.
struct Setting {
  std::string path;    // "network.cidr"
  std::string toml;    // as TOML; empty: no built-in value, the host or network decides
  std::string origin;  // "file:12", "environment GINNEL_LOG" or "default"
};

struct Loaded {
  Config config;                  // of the keys without a problem
  std::vector<Setting> settings;  // every key of the schema, then those of [[wireguard.peer]]
  std::vector<Problem> problems;  // in the order of the file; empty: valid
};
Loaded load(std::string_view text);

// The environment's part: GINNEL_LOG is log.level. `get` is getenv.
// A text: the variable's value is not one of its words; nothing was changed.
std::optional<std::string> apply_environment(Loaded& loaded,
                                             const std::function<const char*(const char*)>& get);

// A key of the path, its value as given on the command line: a TOML literal, or a bare text where
// the key takes texts ("a,b" where it takes a list of them). Problem: the key is unknown or
// lacking, or the value is of the wrong form.
Result<std::string, Problem> literal_for(std::string_view path, std::string_view value);

// "unknown key", with the nearest known one; the Problem's position is that of the caller.
Problem unknown_key(std::string_view path, Position at);

}  // namespace ginnel::config
