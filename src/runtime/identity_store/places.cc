#include "runtime/identity_store/places.h"

namespace ginnel::identity {
namespace {

using std::filesystem::path;

// XDG Base Directory Specification: a relative path in these variables is to be ignored.
path xdg_folder(const PlacesOptions& options, const char* variable, const char* below_home) {
  const char* value = options.get_environment(variable);
  if (value != nullptr && *value == '/') return path(value) / "ginnel";
  const char* home = options.get_environment("HOME");
  return path(home != nullptr ? home : "/") / below_home / "ginnel";
}

}  // namespace

Places places_for(const PlacesOptions& options) {
  if (!options.dir.empty()) {
    const path dir = options.dir;
    return {dir / "ginnel.toml", dir / "state", dir / "ginnel.sock"};
  }
  if (options.root) {
    return {"/etc/ginnel/ginnel.toml", "/var/lib/ginnel/state", "/run/ginnel/ginnel.sock"};
  }
  const path state = xdg_folder(options, "XDG_STATE_HOME", ".local/state");
  const char* runtime = options.get_environment("XDG_RUNTIME_DIR");
  // Without a session there is no runtime folder: the socket goes beside the state.
  const path socket = runtime != nullptr && *runtime == '/' ? path(runtime) / "ginnel" : state;
  return {xdg_folder(options, "XDG_CONFIG_HOME", ".config") / "ginnel.toml", state / "state",
          socket / "ginnel.sock"};
}

}  // namespace ginnel::identity
