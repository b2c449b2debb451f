#include "runtime/daemon/wg_export.h"

#include "io/clock.h"
#include "runtime/config/values.h"
#include "runtime/daemon/daemon.h"

namespace ginnel::runtime {
namespace {

using nlohmann::json;

Error export_usage(const ExportRequest& request, const std::string& why, std::string hint) {
  return {Errc::kUsage, "wg export " + request.name + ": " + why, std::move(hint)};
}

// Who ends the tunnel has the key: only its own daemon can let somebody in.
Result<void, Error> check_via(Daemon& daemon, const ExportRequest& request) {
  if (request.via.empty()) return {};
  const auto id = daemon.node().resolve(request.via);
  if (!id) return Fail(id.error());
  if (*id == daemon.node().self().id) return {};
  return Fail(export_usage(request, request.via + " lets its peers in itself",
                           "on " + request.via + ": ginnel wg export " + request.name));
}

Result<std::string, Error> exported_endpoint(Daemon& daemon, const ExportRequest& request) {
  if (!request.endpoint.empty()) {
    const auto given = config::parse_hub_name(request.endpoint);
    if (given && !given->key) return request.endpoint;
    return Fail(export_usage(request, "--endpoint " + request.endpoint + " is no HOST:PORT",
                             "for instance --endpoint vpn.example.org:7700"));
  }
  if (const auto found = daemon.node().reachable_at()) return found->text();
  return Fail(export_usage(request, "this node knows no address of its own",
                           "say where the peer reaches it: --endpoint HOST:PORT"));
}

}  // namespace

Result<json, Error> export_peer(Daemon& daemon, const ExportRequest& request) {
  node::Node& node = daemon.node();
  config::WireguardPeer peer;
  peer.name = request.name;
  if (!config::is_node_name(request.name)) {
    return Fail(export_usage(request, "must be 1 to 63 of a-z, 0-9 and -", ""));
  }
  if (auto checked = check_via(daemon, request); !checked) return Fail(checked.error());
  const auto key = crypto::SessionPublic::from_base64(request.public_key);
  if (!key) {
    return Fail(
        export_usage(request, "no WireGuard public key: 44 characters of base64", "wg pubkey"));
  }
  peer.public_key = *key;
  const auto endpoint = exported_endpoint(daemon, request);
  if (!endpoint) return Fail(endpoint.error());
  const auto addresses = node.free_addresses(*key);
  if (!addresses) return Fail(addresses.error());
  json texts = json::array();
  for (const Address& address : *addresses) {
    peer.allowed_ips.push_back(Prefix::host(address));
    texts.push_back(address.text());
  }
  if (auto done = daemon.let_in(peer); !done) return Fail(done.error());
  const node::StatusSnapshot status = node.status(io::now());
  return json{{"v", 1},
              {"name", peer.name},
              {"public_key", request.public_key},
              {"addresses", std::move(texts)},
              {"mtu", daemon.facts().mtu},
              {"node",
               {{"name", status.name},
                {"public_key", status.session_key},
                {"endpoint", *endpoint},
                {"addresses", status.addresses}}}};
}

}  // namespace ginnel::runtime
