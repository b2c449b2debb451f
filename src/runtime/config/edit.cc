// 1. The key is there: its value's bytes are replaced.
// 2. Its section is there: the key comes after the section's last key.
// 3. Neither: a new section at the end.
// The result is parsed again: an edit that does not read back as meant is not handed out.
#include "runtime/config/edit.h"

#include <vector>

#include "runtime/config/load.h"
#include "runtime/config/toml_file.h"

namespace ginnel::config {
namespace {

struct Split {
  std::string_view section;
  std::string_view key;
};
Split split(std::string_view path) {
  const auto dot = path.find('.');
  return {path.substr(0, dot), path.substr(dot + 1)};
}

const Value* find_value(const Value& root, const Split& path) {
  const Field* section = root.find(path.section);
  const Field* key = section == nullptr ? nullptr : section->value.find(path.key);
  return key == nullptr ? nullptr : &key->value;
}

// The byte offset of a position; columns count characters (UTF-8), not bytes.
std::size_t offset_of(std::string_view text, Position at) {
  std::size_t offset = 0;
  for (std::uint32_t line = 1; line < at.line; ++line) {
    const auto end = text.find('\n', offset);
    if (end == std::string_view::npos) return text.size();
    offset = end + 1;
  }
  for (std::uint32_t column = 1; column < at.column && offset < text.size(); ++column) {
    ++offset;
    while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xc0) == 0x80)
      ++offset;
  }
  return offset;
}

std::string_view trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

bool is_header_of(std::string_view line, std::string_view section) {
  line = trimmed(line.substr(0, line.find('#')));
  if (line.size() < 2 || line.front() != '[' || line.back() != ']') return false;
  return trimmed(line.substr(1, line.size() - 2)) == section;
}

// The offset after the line at which the section's last key ends; npos: there is no such header.
std::size_t end_of_section(std::string_view text, const Value& root, std::string_view section) {
  std::size_t offset = 0;
  std::size_t after = std::string_view::npos;
  while (offset < text.size() && after == std::string_view::npos) {
    const std::size_t end = std::min(text.find('\n', offset), text.size());
    if (is_header_of(text.substr(offset, end - offset), section))
      after = std::min(end + 1, text.size());
    offset = end + 1;
  }
  const Field* table = root.find(section);
  if (after == std::string_view::npos || table == nullptr) return std::string_view::npos;
  for (const Field& field : table->value.fields) {
    const std::size_t end = text.find('\n', offset_of(text, field.value.end));
    after = std::max(after, end == std::string_view::npos ? text.size() : end + 1);
  }
  return after;
}

std::string insert_line(std::string_view text, std::size_t at, const std::string& line) {
  std::string out(text.substr(0, at));
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out + line + "\n" + std::string(text.substr(at));
}

bool reads_back(std::string_view text, const Split& path, std::string_view literal) {
  const auto root = parse_toml(text);
  const Value* value = root ? find_value(*root, path) : nullptr;
  return value != nullptr && toml_text(*value) == literal;
}

}  // namespace

std::optional<std::string> set_key(std::string_view text, std::string_view path,
                                   std::string_view literal) {
  const auto root = parse_toml(text);
  if (!root) return std::nullopt;
  const Split names = split(path);
  const std::string line = std::string(names.key) + " = " + std::string(literal);
  std::string out(text);
  if (const Value* value = find_value(*root, names)) {
    const std::size_t begin = offset_of(text, value->begin);
    out.replace(begin, offset_of(text, value->end) - begin, literal);
  } else if (const std::size_t at = end_of_section(text, *root, names.section);
             at != std::string_view::npos) {
    out = insert_line(text, at, line);
  } else {
    const std::string gap = text.empty() ? "" : "\n";
    out = insert_line(text, text.size(), gap + "[" + std::string(names.section) + "]\n" + line);
  }
  if (!reads_back(out, names, literal)) return std::nullopt;
  return out;
}

std::optional<std::string> add_wireguard_peer(std::string_view text, const WireguardPeer& peer) {
  std::string ranges;
  for (const Prefix& prefix : peer.allowed_ips) {
    ranges += (ranges.empty() ? "" : ", ") + quoted(prefix.text());
  }
  const std::string gap = text.empty() ? "" : "\n";
  std::string out = insert_line(text, text.size(),
                                gap + "[[wireguard.peer]]\nname = " + quoted(peer.name) +
                                    "\npublic_key = " + quoted(peer.public_key.base64()) +
                                    "\nallowed_ips = [" + ranges + "]");
  const std::size_t before = load(text).config.wireguard_peers.size();
  const Loaded after = load(out);
  const bool added = after.config.wireguard_peers.size() == before + 1;
  if (!after.problems.empty() || !added) return std::nullopt;
  return out;
}

}  // namespace ginnel::config
