#include "runtime/config_file.h"

#include "base/base64.h"
#include "io/file.h"

namespace ginnel::runtime {

// A longer ginnel.toml is a mistake.
constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20;

Result<std::string, Error> read_config_text(const std::filesystem::path& path) {
  const auto bytes = io::read_file(path, {.bytes_max = kConfigBytesMax});
  if (bytes) return std::string(text_of(*bytes));
  Error error = bytes.error();
  if (error.code == Errc::kPermission) error.hint = "run as the file's owner, or with sudo";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored) && error.code == Errc::kFile)
    error.hint = "ginnel init --hub, or ginnel join --token-file F, makes it";
  return Fail(error);
}

Result<void, Error> write_config_text(const std::filesystem::path& path, std::string_view text) {
  return io::write_file(path, bytes_of(text), {.mode = 0600});
}

Result<ConfigFile, Error> read_config_file(const std::filesystem::path& path,
                                           const GetEnvironment& get_environment) {
  const auto text = read_config_text(path);
  if (!text) return Fail(text.error());
  ConfigFile out{path, config::load(*text)};
  if (const auto wrong = config::apply_environment(out.loaded, get_environment))
    return Fail(Error{Errc::kConfigValue, *wrong, "unset GINNEL_LOG"});
  return out;
}

Result<ConfigFile, Error> load_valid_config(const std::filesystem::path& path,
                                            const GetEnvironment& get_environment) {
  auto file = read_config_file(path, get_environment);
  if (!file || file->loaded.problems.empty()) return file;
  Error error = config::as_error(path.string(), file->loaded.problems);
  for (const config::Problem& problem : file->loaded.problems)
    error.text += "\n" + config::problem_line(path.string(), problem);
  return Fail(error);
}

std::filesystem::path beside(const ConfigFile& file, std::string_view name) {
  return file.path.parent_path() / name;  // an absolute name stays as it is
}

Result<crypto::PresharedKey, Error> read_preshared_key(const std::filesystem::path& path) {
  auto bytes = io::read_file(path, {.bytes_max = 4096, .secret = true});
  if (!bytes) return Fail(bytes.error());
  std::string_view line = text_of(*bytes);
  line = line.substr(0, line.find('\n'));
  auto key = from_base64(line);
  crypto::wipe(*bytes);
  auto out = key ? crypto::PresharedKey::from(*key) : std::nullopt;
  if (key) crypto::wipe(*key);
  if (out) return std::move(*out);
  return Fail(Error{Errc::kKeyUnreadable, path.string() + ": the file holds no preshared key",
                    "wg genpsk > " + path.string()});
}

namespace {

// docs/cli.md, "Shared secret": a dictionary word is refused. What the host has for spelling is
// taken where it is there; the long English words are built in.
constexpr const char* kDictionaries = "/usr/share/dict";
constexpr std::size_t kDictionaryBytesMax = std::size_t{64} << 20;  // a larger one is not read

bool is_in_dictionary(std::string_view secret) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(kDictionaries, ignored)) {
    const auto words = io::read_file(entry.path(), {.bytes_max = kDictionaryBytesMax});
    if (!words) continue;
    const std::string_view text = text_of(*words);
    for (std::size_t at = text.find(secret); at != text.npos; at = text.find(secret, at + 1)) {
      const std::size_t end = at + secret.size();
      const bool begins = at == 0 || text[at - 1] == '\n';
      if (begins && (end == text.size() || text[end] == '\n')) return true;
    }
  }
  return false;
}

Error weak_secret(const std::filesystem::path& path, std::string_view why) {
  return {Errc::kSecretWeak, path.string() + ": the secret " + std::string(why),
          "make a strong one with `ginnel key new -o F`, and name F in network.secret_file"};
}

Result<void, Error> check_strength(const std::filesystem::path& path, std::string_view secret) {
  switch (control::weakness_of(secret)) {
    case control::SecretWeakness::kEmpty: return Fail(weak_secret(path, "is empty"));
    case control::SecretWeakness::kShort:
      return Fail(weak_secret(path, "is shorter than 22 characters"));
    case control::SecretWeakness::kUniform:
      return Fail(weak_secret(path, "is made of fewer than 10 different characters"));
    case control::SecretWeakness::kWord: return Fail(weak_secret(path, "is a word of a dictionary"));
    case control::SecretWeakness::kTooLong:
      return Fail(weak_secret(path, "is longer than 4096 characters, so this is another file"));
    case control::SecretWeakness::kNone: break;
  }
  if (is_in_dictionary(secret)) return Fail(weak_secret(path, "is a word of a dictionary"));
  return {};
}

// The bytes of the file; the secret in them is trimmed_secret's. The caller wipes them.
Result<ByteVector, Error> read_shared_secret(const std::filesystem::path& path) {
  const io::ReadOptions options{.bytes_max = 2 * control::kSecretCharactersMax, .secret = true};
  auto bytes = io::read_file(path, options);
  if (!bytes) return bytes;
  const auto strong = check_strength(path, control::trimmed_secret(text_of(*bytes)));
  if (strong) return bytes;
  crypto::wipe(*bytes);
  return Fail(strong.error());
}

}  // namespace

Result<std::optional<control::SecretNetwork>, Error> read_secret_network(const ConfigFile& file) {
  const std::string& name = file.loaded.config.network.secret_file;
  if (name.empty()) return std::optional<control::SecretNetwork>();
  auto bytes = read_shared_secret(beside(file, name));
  if (!bytes) return Fail(bytes.error());
  auto network = control::derive_network(bytes_of(control::trimmed_secret(text_of(*bytes))));
  crypto::wipe(*bytes);
  if (network) return std::optional(*std::move(network));
  return Fail(Error{Errc::kInternal, "the network's key needs 64 MiB of memory, which are not there",
                    "free memory, or raise the limit of this process"});
}

Result<void, Error> check_secret_files(const ConfigFile& file) {
  if (const std::string& name = file.loaded.config.network.secret_file; !name.empty()) {
    auto bytes = read_shared_secret(beside(file, name));
    if (!bytes) return Fail(bytes.error());
    crypto::wipe(*bytes);
  }
  for (const config::WireguardPeer& peer : file.loaded.config.wireguard_peers) {
    if (peer.psk_file.empty()) continue;
    if (const auto key = read_preshared_key(beside(file, peer.psk_file)); !key)
      return Fail(key.error());
  }
  return {};
}

}  // namespace ginnel::runtime
