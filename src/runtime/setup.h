// What the verbs that make or run a node need: the seam between the command line and the node.
//
//   auto made = runtime::init_node({.places = places, .hub = true, .name = "hub-a"});
//   return runtime::run_daemon({.places = places, .on_ready = notify});
//
// Each call blocks. Not thread-safe.
#pragma once
#include <ginnel/error.h>
#include <ginnel/id.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/instant.h"
#include "runtime/identity_store/places.h"

namespace ginnel::runtime {

// An identity as `init` and `join` print it.
struct NodeSummary {
  Id id;
  std::string name;
  std::string network;
  std::vector<std::string> addresses;  // overlay addresses, IPv4 first, without prefix length
};

struct InitOptions {
  identity::Places places;
  bool hub = false;
  std::string network;  // empty: the file's, else "home"
  std::string name;     // empty: the file's, else the host name
  std::optional<Endpoint> listen;
  std::optional<Endpoint> public_endpoint;
  std::optional<Prefix> cidr;
};
// Makes the identity, and ginnel.toml where there is none; a node that exists is left as it is. Where
// the file names a network.secret_file, in the network which that secret makes, as a peer or hub.
// Errors: kUsage, kPermission, kFile, kKeyUnreadable, kKeyFileMode, kSecretWeak, kConfig*.
Result<NodeSummary, Error> init_node(const InitOptions& options);

struct JoinOptions {
  identity::Places places;
  std::string token;
  std::string name;  // empty: the host name
  bool no_tun = false;
  Nanoseconds timeout = 15s;
  bool hub = false;
  std::optional<Endpoint> listen;
  std::optional<Endpoint> public_endpoint;
};
// Redeems the token at one of its hubs and writes the folder; leaves nothing behind when it fails.
// Errors: kToken*, kHubUnreachable (the text names each address), kNameTaken, kPermission, kFile,
// kUsage (ginnel.toml has [hub], and this joins as a peer), kSharedSecret (it names a secret_file).
Result<NodeSummary, Error> join_node(const JoinOptions& options);

// Takes the hubs that join wrote out of ginnel.toml, so that the folder may join another network. Hubs
// that a person wrote (without a key) stay. Errors: kFile, kPermission.
Result<void, Error> forget_network(const identity::Places& places);

struct DaemonOptions {
  identity::Places places;
  std::function<void()> on_ready;  // identity loaded, socket bound, TUN up or known to be refused
};
// Runs the node until SIGTERM, SIGINT or `down`, and leaves gracefully. Logs to stderr.
// Errors: kNotJoined, kAlreadyRunning, kPortBusy, kAddressInUse, kKeyUnreadable, kKeyFileMode,
// kConfig*, kPermission.
Result<void, Error> run_daemon(const DaemonOptions& options);

}  // namespace ginnel::runtime
