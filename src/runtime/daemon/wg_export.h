// `ginnel wg export`, the daemon's side: lets a stock WireGuard peer in and says what its
// configuration needs. The private key is made by the command line and never comes here.
//
// Belongs to the loop's thread.
#pragma once
#include <ginnel/error.h>

#include <nlohmann/json.hpp>
#include <string>

namespace ginnel::runtime {

class Daemon;

struct ExportRequest {
  std::string name;
  std::string via;         // empty: this node
  std::string public_key;  // of the peer, base64
  std::string endpoint;    // "HOST:PORT" where the peer reaches this node; empty: this node decides
};

// {"v":1,"name","public_key","addresses","mtu","node":{"name","public_key","endpoint","addresses"}}
// Errors: kUsage (malformed, another node's business, no address known), kUnknownPeer (`via`), and
// those of Daemon::let_in. All: nothing changed.
Result<nlohmann::json, Error> export_peer(Daemon& daemon, const ExportRequest& request);

}  // namespace ginnel::runtime
