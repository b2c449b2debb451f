#include "runtime/prepared.h"

namespace ginnel::runtime {
namespace {

Error not_joined(const identity::Places& places) {
  return {Errc::kNotJoined, places.state.string() + ": no identity here",
          "ginnel join --token-file F, or ginnel init --hub"};
}

Error lock_error(Error error) {
  if (error.code == Errc::kAlreadyRunning) error.hint = "ginnel down, or choose another --dir";
  return error;
}

}  // namespace

Result<Prepared, Error> prepare(const identity::Places& places,
                                const GetEnvironment& get_environment) {
  std::error_code ignored;
  // A file that is wrong is said first: mending it may be all that is needed.
  auto config = load_valid_config(places.config_file, get_environment);
  const bool missing = !config && config.error().code == Errc::kFile &&
                       !std::filesystem::exists(places.config_file, ignored);
  if (!config && !missing) return Fail(config.error());
  if (missing || !std::filesystem::exists(places.state, ignored)) return Fail(not_joined(places));
  if (auto checked = check_secret_files(*config); !checked) return Fail(checked.error());
  auto store = identity::StateStore::open(places.state);
  if (!store) return Fail(store.error());
  auto identity = identity::load_identity(*store);
  if (!identity) return Fail(identity.error());
  if (!*identity) return Fail(not_joined(places));
  auto lock = io::LockFile::take(places.state / "lock");
  if (!lock) return Fail(lock_error(lock.error()));
  return Prepared{std::move(*lock), std::move(*store), std::move(**identity), std::move(*config),
                  get_environment};
}

}  // namespace ginnel::runtime
