// Sets one key in the text of a TOML file and leaves every other byte, comments included, as it is.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace ginnel::config {

// `path`: "section.key"; `literal`: the value as TOML on one line. The text as it shall be written;
// nullopt: the file is no TOML, or is written in a way that this cannot edit (an inline table
// without the key), and must be edited by hand.
std::optional<std::string> set_key(std::string_view text, std::string_view path,
                                   std::string_view literal);

}  // namespace ginnel::config
