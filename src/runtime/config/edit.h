// Sets one key in the text of a TOML file and leaves every other byte, comments included, as it is.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "runtime/config/config.h"

namespace ginnel::config {

// `path`: "section.key"; `literal`: the value as TOML on one line. The text as it shall be written;
// nullopt: the file is no TOML, or is written in a way that this cannot edit (an inline table
// without the key), and must be edited by hand.
std::optional<std::string> set_key(std::string_view text, std::string_view path,
                                   std::string_view literal);

// A [[wireguard.peer]] at the end, of its name, key and ranges. nullopt: the text has problems, or
// is written in a way that this cannot edit (the peers as an inline list).
std::optional<std::string> add_wireguard_peer(std::string_view text, const WireguardPeer& peer);

}  // namespace ginnel::config
