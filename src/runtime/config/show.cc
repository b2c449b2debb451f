#include "runtime/config/show.h"

#include <algorithm>

#include "runtime/config/schema.h"

namespace ginnel::config {
namespace {

std::string section_of(std::string_view path) {
  const std::string_view section = path.substr(0, path.rfind('.'));
  if (section.starts_with("wireguard.peer[")) return "[[wireguard.peer]]";
  return "[" + std::string(section) + "]";
}

// Keys without a built-in value stand as comments: the host or the network decides.
std::string line_of(const Setting& setting) {
  const std::string name = setting.path.substr(setting.path.rfind('.') + 1);
  if (is_secret(setting.path) && !setting.toml.empty()) return name + " = " + quoted(kHidden);
  return setting.toml.empty() ? "# " + name + " =" : name + " = " + setting.toml;
}

}  // namespace

std::string show(std::span<const Setting> settings, const ShowOptions& options) {
  constexpr std::size_t kOriginColumn = 40;
  std::string out;
  std::string_view section;  // the part of the path that made the last header
  for (const Setting& setting : settings) {
    const std::string_view path = setting.path;
    if (const auto own = path.substr(0, path.rfind('.')); own != section || out.empty()) {
      out += (out.empty() ? "" : "\n") + section_of(path) + "\n";
      section = own;
    }
    std::string line = line_of(setting);
    if (options.origin) {
      line.resize(std::max(line.size() + 2, kOriginColumn), ' ');
      line += "# " + setting.origin;
    }
    out += line + "\n";
  }
  return out;
}

std::string plain_value(const Setting& setting) {
  if (setting.toml.empty()) return "";
  if (is_secret(setting.path)) return std::string(kHidden);
  const auto parsed = parse_toml("x = " + setting.toml + "\n");
  if (!parsed || parsed->fields.empty()) return setting.toml;
  const Value& value = parsed->fields[0].value;
  if (value.type == ValueType::kText) return value.text;
  if (value.type != ValueType::kList) return toml_text(value);
  std::string out;
  for (const Value& item : value.items) out += (out.empty() ? "" : "\n") + item.text;
  return out;
}

}  // namespace ginnel::config
