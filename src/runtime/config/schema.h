// Every key of ginnel.toml: its form, its built-in value, what it sets, and which of them this
// version lacks. The one table behind check, show, get, set and the daemon.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/config/config.h"
#include "runtime/config/toml_file.h"

namespace ginnel::config {

enum class Form : std::uint8_t { kText, kTexts, kBoolean, kInteger, kTextOrInteger };

struct Key {
  std::string_view path;  // "network.cidr"
  Form form;
  std::string_view fallback;  // the built-in value as TOML; empty: there is none
  // Sets the field from a value of the right form. A text: what is wrong with the value.
  std::optional<std::string> (*assign)(Config&, const Value&);
};
std::span<const Key> keys();
const Key* find_key(std::string_view path);
std::span<const std::string_view> key_paths();      // of keys() only
std::span<const std::string_view> section_names();  // "node", "network", …

// The keys of one [[wireguard.peer]]; `assign` fills the last of Config::wireguard_peers.
std::span<const Key> wireguard_peer_keys();

// A key, section or value that docs/cli.md promises and this version does not have yet.
struct Lacking {
  std::string_view path;     // "gossip" means the section and all in it
  std::string_view value;    // only this value of the key; empty: the whole key
  std::string_view feature;  // "shared-secret networks"
};
std::span<const Lacking> lacking();
// Why the key (and value, if it is a text) cannot be had; nullptr: it can.
const Lacking* find_lacking(std::string_view path, const Value& value);

// The last word of the path speaks of a secret, key, token or password: its value is never shown.
bool is_secret(std::string_view path);

// nullopt: the value has this form; else what it must be: "a list of texts".
std::optional<std::string_view> wrong_form(Form form, const Value& value);

}  // namespace ginnel::config
