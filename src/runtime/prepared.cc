#include "runtime/prepared.h"

#include "crypto/sign.h"

namespace ginnel::runtime {

Error not_joined(const identity::Places& places) {
  return {Errc::kNotJoined, places.state.string() + ": no identity here",
          "ginnel join --token-file F, or ginnel init --hub"};
}

namespace {

Error lock_error(Error error) {
  if (error.code == Errc::kAlreadyRunning) error.hint = "ginnel down, or choose another --dir";
  return error;
}

// Name and role stand in the certificate, and the range is the network's. A file that says otherwise
// would be believed by nobody but its reader.
Result<void, Error> check_certified(const ConfigFile& file, const identity::Enrolment& own) {
  const config::Config& config = file.loaded.config;
  const auto wrong = [&](const std::string& text, std::string hint) {
    return Fail(Error{Errc::kConfigValue, file.path.string() + ": " + text, std::move(hint)});
  };
  if (!config.node.name.empty() && config.node.name != own.name) {
    return wrong("node.name is \"" + config.node.name + "\", the certificate says \"" + own.name +
                     "\"",
                 "take the line back; for another name leave --forget, and join again");
  }
  if (config.network.cidr && *config.network.cidr != own.cidr) {
    return wrong("network.cidr is " + config.network.cidr->text() + ", the network has " +
                     own.cidr.text(),
                 "take the line out: only init takes it");
  }
  const bool hub = own.role == Role::kHub;
  if (config.hub.has_value() == hub) return {};
  return wrong(hub ? "[hub] is missing, and this node is a hub"
                   : "[hub] makes a hub, and this node is a peer",
               hub ? "put [hub] back" : "take [hub] out, or join with a token of invite --hub");
}

// The secret that the node was made with, and none where it was let in by a token.
Result<std::optional<control::SecretNetwork>, Error> secret_network_of(
    const ConfigFile& file, const identity::Enrolment& own) {
  if (own.by_secret && file.loaded.config.network.secret_file.empty()) {
    return Fail(Error{Errc::kConfigValue,
                      file.path.string() +
                          ": network.secret_file is missing, and a shared secret makes this network",
                      "put the line back"});
  }
  auto network = read_secret_network(file);
  if (!network || !*network) return network;
  if (own.by_secret && crypto::public_of((*network)->key) == own.network) return network;
  return Fail(Error{Errc::kWrongNetwork,
                    file.path.string() + ": the secret in network.secret_file is not the one that "
                                         "this node's network was made with",
                    "put the old secret back; or ginnel leave --forget, then ginnel init"});
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
  if (auto checked = check_certified(*config, (*identity)->enrolment); !checked)
    return Fail(checked.error());
  auto secret_network = secret_network_of(*config, (*identity)->enrolment);
  if (!secret_network) return Fail(secret_network.error());
  auto lock = io::LockFile::take(places.state / "lock");
  if (!lock) return Fail(lock_error(lock.error()));
  return Prepared{std::move(*lock), std::move(*store), std::move(**identity), std::move(*config),
                  *std::move(secret_network), get_environment};
}

}  // namespace ginnel::runtime
