#include "runtime/config/load.h"

#include <algorithm>
#include <map>

#include "runtime/config/nearest.h"
#include "runtime/config/schema.h"

namespace ginnel::config {
namespace {

std::string in_section(std::string_view path) {
  const auto dot = path.rfind('.');
  const std::string name(path.substr(dot + 1));
  if (dot == std::string_view::npos) return "\"" + name + "\"";
  return "\"" + name + "\" in [" + std::string(path.substr(0, dot)) + "]";
}

// The suggestion for an unknown key: from its own section first, then the same word elsewhere.
std::string suggest(std::string_view path, std::span<const std::string_view> known) {
  const auto dot = path.rfind('.');
  const std::string_view section = path.substr(0, dot);
  const std::string_view name = path.substr(dot + 1);
  std::vector<std::string_view> siblings;
  for (const std::string_view other : known) {
    const auto split = other.rfind('.');
    if (other.substr(0, split) == section) siblings.push_back(other.substr(split + 1));
  }
  if (const auto close = nearest(name, siblings); !close.empty()) return std::string(close);
  for (const std::string_view other : known) {
    if (other.substr(other.rfind('.') + 1) == name) return std::string(other);
  }
  return "";
}

std::string value_shown(std::string_view path, const Value& value) {
  if (is_secret(path) || value.type == ValueType::kTable) return "";
  std::string text = toml_text(value);
  constexpr std::size_t kShownMax = 60;  // longer values would bury the message
  return text.size() <= kShownMax ? " " + text : "";
}

class Loader {
 public:
  Loaded run(const Value& root) {
    for (const Field& field : root.fields) read_top(field);
    list_settings();
    return std::move(out_);
  }

 private:
  void read_top(const Field& field) {
    if (const auto* row = find_lacking(field.key, field.value)) return lacks(*row, field.at);
    if (field.key == "wireguard") return read_wireguard(field);
    const auto sections = section_names();
    if (std::ranges::find(sections, field.key) == sections.end()) {
      return complain(
          field.at, Errc::kConfigKey,
          (field.value.type == ValueType::kTable ? "unknown section [" : "unknown key ") +
              field.key + (field.value.type == ValueType::kTable ? "]" : ""),
          suggest_top(field));
    }
    if (field.value.type != ValueType::kTable) {
      return complain(
          field.value.begin, Errc::kConfigValue,
          field.key + " must be a section, not " + std::string(type_name(field.value.type)));
    }
    if (field.key == "hub") out_.config.hub.emplace();
    for (const Field& inner : field.value.fields) read_key(field.key + "." + inner.key, inner);
  }

  static std::string suggest_top(const Field& field) {
    std::vector<std::string_view> known(section_names().begin(), section_names().end());
    for (const std::string_view other : {"wireguard", "http", "link", "routes"})
      known.push_back(other);
    if (const auto close = nearest(field.key, known); !close.empty()) return std::string(close);
    for (const std::string_view path : key_paths()) {  // a key that lost its section
      if (path.substr(path.rfind('.') + 1) == field.key) return std::string(path);
    }
    return "";
  }

  void read_key(const std::string& path, const Field& field) {
    const Key* key = find_key(path);
    if (const auto* row = find_lacking(path, field.value)) return lacks(*row, field.at);
    if (key == nullptr) return out_.problems.push_back(unknown_key(path, field.at));
    if (take(*key, field.value)) given_[path] = &field;
  }

  bool take(const Key& key, const Value& value) {
    const std::string path(key.path);
    if (const auto must = wrong_form(key.form, value)) {
      complain(value.begin, Errc::kConfigValue,
               path + " must be " + std::string(*must) + ", not " +
                   (value.type == ValueType::kList ? "a list of other things"
                                                   : std::string(type_name(value.type))));
      return false;
    }
    if (const auto wrong = key.assign(out_.config, value)) {
      complain(value.begin, Errc::kConfigValue, path + value_shown(path, value) + " " + *wrong,
               suggest_word(*wrong, value));
      return false;
    }
    return true;
  }

  // Of a text that lists the words a key takes, the one that was meant.
  static std::string suggest_word(std::string_view wrong, const Value& value) {
    if (!wrong.starts_with("must be one of ") || value.text.empty()) return "";
    std::vector<std::string_view> words;
    for (std::size_t at = wrong.find('"'); at != std::string_view::npos;) {
      const std::size_t end = wrong.find('"', at + 1);
      words.push_back(wrong.substr(at + 1, end - at - 1));
      at = wrong.find('"', end + 1);
    }
    return std::string(nearest(value.text, words));
  }

  void read_wireguard(const Field& section) {
    for (const Field& field : section.value.fields) {
      const bool tables = field.value.type == ValueType::kList &&
                          std::ranges::all_of(field.value.items, [](const Value& v) {
                            return v.type == ValueType::kTable;
                          });
      if (field.key != "peer") {
        complain(field.at, Errc::kConfigKey, "unknown key " + in_section("wireguard." + field.key),
                 std::string(nearest(field.key, std::array<std::string_view, 1>{"peer"})));
      } else if (!tables) {
        complain(field.at, Errc::kConfigValue,
                 "wireguard.peer must be sections [[wireguard.peer]]");
      } else {
        for (const Value& peer : field.value.items) read_peer(peer);
      }
    }
  }

  void read_peer(const Value& peer) {
    out_.config.wireguard_peers.emplace_back();
    const std::size_t before = out_.problems.size();
    for (const Field& field : peer.fields) read_peer_key(field);
    for (const std::string_view name : {"name", "public_key", "allowed_ips"}) {
      if (peer.find(name) != nullptr) continue;
      complain(peer.begin, Errc::kConfigValue,
               "this [[wireguard.peer]] lacks " + std::string(name));
    }
    if (out_.problems.size() == before) refuse_repeated(peer.begin);
    if (out_.problems.size() > before) out_.config.wireguard_peers.pop_back();
  }

  // The last peer, against those before it.
  void refuse_repeated(Position at) {
    const auto& peers = out_.config.wireguard_peers;
    const WireguardPeer& last = peers.back();
    const auto same = [&](const std::string& what) {
      complain(at, Errc::kConfigValue,
               "this [[wireguard.peer]] has " + what + " of an earlier one");
    };
    for (std::size_t i = 0; i + 1 < peers.size(); ++i) {
      if (peers[i].name == last.name) same("the name");
      if (peers[i].public_key == last.public_key) same("the public_key");
      for (const Prefix& prefix : last.allowed_ips) {
        if (std::ranges::count(peers[i].allowed_ips, prefix) > 0) same(prefix.text());
      }
    }
  }

  void read_peer_key(const Field& field) {
    const std::string path = "wireguard.peer." + field.key;
    const auto known = wireguard_peer_keys();
    const auto key = std::ranges::find(known, path, &Key::path);
    if (key != known.end()) {
      if (!take(*key, field.value)) return;
      const std::string index = std::to_string(out_.config.wireguard_peers.size() - 1);
      peer_settings_.push_back(
          {"wireguard.peer[" + index + "]." + field.key, toml_text(field.value), origin_of(field)});
      return;
    }
    std::vector<std::string_view> paths;
    for (const Key& k : known) paths.push_back(k.path);
    complain(field.at, Errc::kConfigKey, "unknown key " + in_section(path), suggest(path, paths));
  }

  void list_settings() {
    for (const Key& key : keys()) {
      const std::string path(key.path);
      if (path.starts_with("hub.") && !out_.config.hub) continue;
      const auto given = given_.find(path);
      if (given == given_.end()) {
        out_.settings.push_back({path, std::string(key.fallback), "default"});
      } else {
        out_.settings.push_back({path, toml_text(given->second->value), origin_of(*given->second)});
      }
    }
    std::ranges::move(peer_settings_, std::back_inserter(out_.settings));
  }

  static std::string origin_of(const Field& field) {
    return "file:" + std::to_string(field.at.line);
  }

  void lacks(const Lacking& row, Position at) {
    const std::string value = row.value.empty() ? "" : " = \"" + std::string(row.value) + "\"";
    complain(at, Errc::kConfigKey,
             std::string(row.path) + value + ": this version lacks " + std::string(row.feature));
  }

  void complain(Position at, Errc code, std::string text, std::string suggestion = "") {
    out_.problems.push_back({at, code, std::move(text), std::move(suggestion)});
  }

  Loaded out_;
  std::map<std::string, const Field*, std::less<>> given_;
  std::vector<Setting> peer_settings_;
};

// A command line's value as a TOML value: nullopt when it is no literal.
std::optional<Value> as_literal(std::string_view value) {
  const auto parsed = parse_toml("x = " + std::string(value) + "\n");
  if (!parsed || parsed->fields.size() != 1) return std::nullopt;
  return parsed->fields[0].value;
}

Value as_text(std::string_view text) { return {.text = std::string(text)}; }

Value as_texts(std::string_view text) {
  Value out{.type = ValueType::kList};
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    out.items.push_back(as_text(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

}  // namespace

Loaded load(std::string_view text) {
  const auto root = parse_toml(text);
  if (root) return Loader().run(*root);
  Loaded out;
  out.problems.push_back(root.error());
  return out;
}

std::optional<std::string> apply_environment(Loaded& loaded,
                                             const std::function<const char*(const char*)>& get) {
  const char* level = get("GINNEL_LOG");
  if (level == nullptr || *level == '\0') return std::nullopt;
  const Value value{.text = level};
  if (const auto wrong = find_key("log.level")->assign(loaded.config, value))
    return "GINNEL_LOG " + *wrong;
  for (Setting& setting : loaded.settings) {
    if (setting.path != "log.level") continue;
    setting.toml = toml_text(value);
    setting.origin = "environment GINNEL_LOG";
  }
  return std::nullopt;
}

Problem unknown_key(std::string_view path, Position at) {
  return {at, Errc::kConfigKey, "unknown key " + in_section(path), suggest(path, key_paths())};
}

Result<std::string, Problem> literal_for(std::string_view path, std::string_view text) {
  const Key* key = find_key(path);
  auto literal = as_literal(text);
  if (const auto* row = find_lacking(path, literal.value_or(as_text(text)))) {
    return Fail(Problem{{},
                        Errc::kConfigKey,
                        std::string(path) + ": this version lacks " + std::string(row->feature),
                        ""});
  }
  if (key == nullptr) return Fail(unknown_key(path, {}));
  if (!literal || wrong_form(key->form, *literal)) {
    const bool list = key->form == Form::kTexts;
    const bool word = key->form == Form::kText || key->form == Form::kTextOrInteger;
    if (list) literal = as_texts(text);
    if (word) literal = as_text(text);
  }
  if (!literal || wrong_form(key->form, *literal)) {
    return Fail(Problem{{},
                        Errc::kConfigValue,
                        std::string(path) + " must be " +
                            std::string(wrong_form(key->form, as_text(text)).value_or("a value")),
                        ""});
  }
  Config scratch;
  scratch.hub.emplace();
  if (const auto wrong = key->assign(scratch, *literal))
    return Fail(Problem{{},
                        Errc::kConfigValue,
                        std::string(path) + value_shown(path, *literal) + " " + *wrong,
                        ""});
  return toml_text(*literal);
}

}  // namespace ginnel::config
