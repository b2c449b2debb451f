// Node::join and Node::open: a folder, an identity in it, and the engine behind a driver.
// Node::attach: the way to the daemon.
#include <ginnel/node.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "api/node_impl.h"
#include "runtime/attached/attached_node.h"
#include "runtime/config/values.h"
#include "runtime/embedded/embedded_driver.h"
#include "runtime/embedded/polled_driver.h"
#include "runtime/setup.h"

namespace ginnel {
namespace {

// What is longer would not fit into nanoseconds.
constexpr std::chrono::seconds kJoinMax = std::chrono::hours(24 * 365);

using runtime::EmbeddedDriver;
using runtime::Prepared;

const char* environment(const char* name) { return std::getenv(name); }
// ginnel.toml says it all; what the environment says is for the daemon.
const char* no_environment(const char*) { return nullptr; }

std::string name_of(const Options& options) {
  if (!options.name.empty()) return options.name;
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return config::node_name_from_host(host);
}

// $XDG_STATE_HOME/ginnel/NAME: each program of a user by its own name.
identity::Places places_of(const Options& options) {
  std::string dir = options.dir;
  if (dir.empty()) {
    const auto user = identity::places_for({.get_environment = environment});
    dir = user.state.parent_path() / name_of(options);
  }
  return identity::places_for({.dir = dir, .get_environment = environment});
}

Result<std::optional<Endpoint>, Error> listen_of(const Options& options) {
  if (options.listen.empty()) return std::optional<Endpoint>();
  const auto endpoint = Endpoint::parse(options.listen);
  if (endpoint) return std::optional(*endpoint);
  return Fail(Error{Errc::kUsage, "Options.listen: " + options.listen + " is no ADDR:PORT",
                    "for instance 0.0.0.0:7701"});
}

Result<void, Error> check_name(const Options& options) {
  if (options.name.empty() || config::is_node_name(options.name)) return {};
  return Fail(Error{Errc::kUsage, "Options.name: " + options.name + " is no name for a node",
                    "1 to 63 of a-z, 0-9 and -"});
}

Result<Prepared, Error> prepare(const Options& options, const identity::Places& places) {
  auto prepared = runtime::prepare(places, no_environment);
  if (!prepared) return prepared;
  const std::string& name = prepared->identity.enrolment.name;
  if (options.name.empty() || options.name == name) return prepared;
  return Fail(Error{Errc::kExists,
                    places.state.string() + " holds the identity of " + name + ", not of " +
                        options.name,
                    "give each node its own Options.dir"});
}

Result<Prepared, Error> enrol(const Options& options, const identity::Places& places,
                              std::optional<Endpoint> listen) {
  if (options.token.empty()) {
    return Fail(Error{Errc::kNotJoined, places.state.string() + ": no identity here",
                      "give Options.token: the text that `ginnel invite` prints on a hub"});
  }
  const auto joined = runtime::join_node({.places = places,
                                          .token = options.token,
                                          .name = name_of(options),
                                          .no_tun = true,
                                          .timeout = std::min(options.timeout, kJoinMax),
                                          .listen = listen});
  if (!joined) return Fail(joined.error());
  return prepare(options, places);
}

template <class Driver>
Result<Node, Error> start_with(Prepared prepared) {
  auto driver = Driver::open(std::move(prepared));
  if (!driver) return Fail(driver.error());
  return Node(std::make_unique<api::NodeImpl>(*std::move(driver)));
}

Result<Node, Error> start(Result<Prepared, Error> prepared, std::optional<Endpoint> listen,
                          Loop loop) {
  if (!prepared) return Fail(prepared.error());
  if (listen) prepared->config.loaded.config.node.listen = listen;
  if (loop == Loop::kExternal) return start_with<runtime::PolledDriver>(*std::move(prepared));
  return start_with<EmbeddedDriver>(*std::move(prepared));
}

}  // namespace

std::string token_from_env() {
  const char* token = environment("GINNEL_TOKEN");
  return token ? token : "";
}

Result<Node, Error> Node::join(const Options& options) {
  if (auto checked = check_name(options); !checked) return Fail(checked.error());
  const auto listen = listen_of(options);
  if (!listen) return Fail(listen.error());
  const auto places = places_of(options);
  auto prepared = prepare(options, places);
  const bool is_new = !prepared && prepared.error().code == Errc::kNotJoined;
  return start(is_new ? enrol(options, places, *listen) : std::move(prepared), *listen,
               options.loop);
}

// Where the command line looks: Options of a program's own node have other defaults.
Result<Node, Error> Node::attach(std::string_view dir) {
  std::string folder(dir);
  if (const char* named = environment("GINNEL_DIR"); folder.empty() && named) folder = named;
  const auto places = identity::places_for(
      {.dir = folder, .root = geteuid() == 0, .get_environment = environment});
  auto node = runtime::AttachedNode::attach(places.socket);
  if (!node) return Fail(node.error());
  return Node(*std::move(node));
}

Result<Node, Error> Node::open(const Options& options) {
  if (auto checked = check_name(options); !checked) return Fail(checked.error());
  const auto listen = listen_of(options);
  if (!listen) return Fail(listen.error());
  return start(prepare(options, places_of(options)), *listen, options.loop);
}

}  // namespace ginnel
