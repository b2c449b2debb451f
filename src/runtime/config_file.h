// ginnel.toml on the disk: reading, writing, and the secrets that it names.
#pragma once
#include <filesystem>
#include <functional>

#include "proto/control/shared_secret.h"
#include "runtime/config/load.h"

namespace ginnel::runtime {

using GetEnvironment = std::function<const char*(const char*)>;

struct ConfigFile {
  std::filesystem::path path;
  config::Loaded loaded;
};

// Text of the file. Errors: kFile (also where there is none), kPermission.
Result<std::string, Error> read_config_text(const std::filesystem::path& path);
// Replaces the file whole, mode 0600. Errors: kFile, kPermission.
Result<void, Error> write_config_text(const std::filesystem::path& path, std::string_view text);

// Reads, checks, and puts the environment on top. Errors: as read_config_text; kConfigValue (the
// environment's). Problems of the file are no error: they are in `loaded`.
Result<ConfigFile, Error> read_config_file(const std::filesystem::path& path,
                                           const GetEnvironment& get_environment);

// As read_config_file, for those who need a valid one: the problems become one error, whose text
// lists them all, one a line.
Result<ConfigFile, Error> load_valid_config(const std::filesystem::path& path,
                                            const GetEnvironment& get_environment);

// A relative path in ginnel.toml is relative to the folder of that file (docs/cli.md).
std::filesystem::path beside(const ConfigFile& file, std::string_view name);

// Each psk_file can be read, by nobody else, and holds a key; so does network.secret_file, and its
// secret is no weak one. Errors: kFile, kPermission, kKeyFileMode, kKeyUnreadable, kSecretWeak.
Result<void, Error> check_secret_files(const ConfigFile& file);
// The key in a file of one line of base64. Errors: as check_secret_files.
Result<crypto::PresharedKey, Error> read_preshared_key(const std::filesystem::path& path);
// The network that network.secret_file makes; nullopt: the file names none. Takes 0.15 s and 64 MiB.
// Errors: as check_secret_files; kInternal (no memory).
Result<std::optional<control::SecretNetwork>, Error> read_secret_network(const ConfigFile& file);

}  // namespace ginnel::runtime
