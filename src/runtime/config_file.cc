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

Result<void, Error> check_secret_files(const ConfigFile& file) {
  for (const config::WireguardPeer& peer : file.loaded.config.wireguard_peers) {
    if (peer.psk_file.empty()) continue;
    if (const auto key = read_preshared_key(beside(file, peer.psk_file)); !key)
      return Fail(key.error());
  }
  return {};
}

}  // namespace ginnel::runtime
