// The configuration that counts, as text: TOML that could be saved as ginnel.toml.
#pragma once
#include <span>
#include <string>

#include "runtime/config/load.h"

namespace ginnel::config {

// Instead of the value of a key whose name speaks of a secret.
inline constexpr std::string_view kHidden = "(hidden)";

struct ShowOptions {
  bool origin = false;  // "# file:12" behind each line
};
std::string show(std::span<const Setting> settings, const ShowOptions& options);

// The value as `config get` prints it: texts without quotes, a list one item a line.
std::string plain_value(const Setting& setting);

}  // namespace ginnel::config
