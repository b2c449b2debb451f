// Where one node's files live (docs/cli.md, "Rules"): with --dir everything in one folder, else the
// system's folders as root and the XDG ones otherwise.
#pragma once
#include <filesystem>
#include <functional>
#include <string>

namespace ginnel::identity {

struct Places {
  std::filesystem::path config_file;  // ginnel.toml
  std::filesystem::path state;        // keys and what the node remembers; mode 0700
  std::filesystem::path socket;       // ginnel.sock
};

struct PlacesOptions {
  std::string dir;  // of --dir or GINNEL_DIR; empty: the default folders
  bool root = false;
  std::function<const char*(const char*)> get_environment;  // getenv
};
Places places_for(const PlacesOptions& options);

}  // namespace ginnel::identity
