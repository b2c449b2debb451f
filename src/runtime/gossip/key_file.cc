#include "runtime/gossip/key_file.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "io/file.h"

namespace ginnel::gossip {
namespace {

using nlohmann::json;

constexpr std::size_t kFileBytesMax = 64 << 10;
constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Error unreadable(const std::filesystem::path& path, std::string_view why) {
  return {Errc::kKeyUnreadable, "key file " + path.string() + ": " + std::string(why),
          "one base64 key of 16, 24 or 32 bytes a line, as `serf keygen` makes them"};
}

// The texts of either form.
std::optional<std::vector<std::string>> texts_of(std::string_view content, bool is_json) {
  std::vector<std::string> out;
  if (is_json) {
    const json document = json::parse(content, nullptr, false);
    if (!document.is_array()) return std::nullopt;
    for (const json& entry : document) {
      if (!entry.is_string()) return std::nullopt;
      out.push_back(entry.get<std::string>());
    }
    return out;
  }
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    const std::string_view line = trimmed(content.substr(0, end));
    if (!line.empty() && line[0] != '#') out.emplace_back(line);
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return out;
}

}  // namespace

std::optional<crypto::AesKey> parse_key(std::string_view text) {
  auto bytes = from_base64(trimmed(text));
  if (!bytes) return std::nullopt;
  auto key = crypto::AesKey::from(*bytes);
  crypto::wipe(*bytes);
  return key;
}

Result<KeyFile, Error> KeyFile::load(const std::filesystem::path& path) {
  auto bytes = io::read_file(path, {.bytes_max = kFileBytesMax, .secret = true});
  if (!bytes) return Fail(bytes.error());
  const std::string_view content = text_of(*bytes);
  KeyFile out(path, trimmed(content).starts_with('['));
  const auto texts = texts_of(content, out.is_json_);
  if (!texts) return Fail(unreadable(path, "neither lines nor a JSON array of texts"));
  for (const std::string& text : *texts) {
    auto key = parse_key(text);
    if (!key) return Fail(unreadable(path, "an entry is no key"));
    out.keys_.push_back(*std::move(key));
  }
  crypto::wipe(*bytes);
  if (out.keys_.empty()) return Fail(unreadable(path, "it holds no key"));
  if (out.keys_.size() > swim::KeyRing::kKeysMax) {
    return Fail(unreadable(path, "more than 16 keys"));
  }
  return out;
}

std::vector<crypto::AesKey> KeyFile::keys() const {
  std::vector<crypto::AesKey> out;
  for (const crypto::AesKey& key : keys_) out.push_back(key.clone());
  return out;
}

Result<void, Error> KeyFile::save(const swim::KeyRing& ring) const {
  std::string content;
  if (is_json_) {
    json document = json::array();
    for (std::size_t i = 0; i < ring.size(); ++i) document.push_back(to_base64(ring.key(i)));
    content = document.dump(2) + "\n";
  } else {
    for (std::size_t i = 0; i < ring.size(); ++i) content += to_base64(ring.key(i)) + "\n";
  }
  auto saved = io::write_file(path_, bytes_of(content), {.mode = 0600});
  crypto::wipe(std::as_writable_bytes(std::span(content)));
  return saved;
}

}  // namespace ginnel::gossip
