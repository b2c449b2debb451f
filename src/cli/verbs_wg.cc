// wg show and wg export. A private key that export makes stays in this process: the daemon is told
// the public half, standard output gets the other, once.
#include "cli/verbs_wg.h"

#include "cli/daemon.h"
#include "crypto/dh.h"
#include "io/entropy.h"

namespace ginnel::cli {
namespace {

// WireGuard's own advice: holds every usual NAT open.
constexpr int kKeepaliveSeconds = 25;

Outcome run_wg_show(Context& context, const Arguments& arguments) {
  return show(context, arguments, {"GET", "/v1/wg/show"}, [](const Json& json) {
    const auto port = static_cast<int>(number_at(json, "port").value_or(0));
    return "public key: " + text_at(json, "public_key") +
           "\nlistening port: " + std::to_string(port) + "\n";
  });
}

// "10.66.9.7/32, fd12::7/128"
std::string host_ranges(const Json& addresses) {
  std::string out;
  for (const Json& address : addresses) {
    if (!address.is_string()) continue;
    const std::string text = address.get<std::string>();
    out +=
        (out.empty() ? "" : ", ") + text + (text.find(':') == std::string::npos ? "/32" : "/128");
  }
  return out;
}

// What wg-quick(8) reads. `private_key`: base64; empty: the peer has its own.
std::string wg_quick_config(const Json& exported, const std::string& private_key) {
  const Json& node = child(exported, "node");
  const std::string via = text_at(node, "name");
  std::string out = "# " + text_at(exported, "name") + ", a stock WireGuard peer of " + via + "\n";
  out += "# The tunnel ends at " + via + " and reaches that host.\n[Interface]\n";
  if (private_key.empty()) {
    out += "# PrivateKey = the one of " + text_at(exported, "public_key") + "\n";
  } else {
    out +=
        "# This key was shown once and is kept nowhere else.\nPrivateKey = " + private_key + "\n";
  }
  out += "Address = " + host_ranges(child(exported, "addresses")) + "\n";
  if (const auto mtu = number_at(exported, "mtu"))
    out += "MTU = " + std::to_string(static_cast<int>(*mtu)) + "\n";
  out += "\n[Peer]\nPublicKey = " + text_at(node, "public_key") + "\n";
  out += "Endpoint = " + text_at(node, "endpoint") + "\n";
  out += "AllowedIPs = " + host_ranges(child(node, "addresses")) + "\n";
  return out + "PersistentKeepalive = " + std::to_string(kKeepaliveSeconds) + "\n";
}

struct KeyTexts {
  std::string public_key;
  std::string private_key;  // empty: only the peer has it
};
Result<KeyTexts, Error> keys_of(const Arguments& arguments) {
  if (arguments.has("--public-key")) return KeyTexts{arguments.get("--public-key"), ""};
  const auto seed = io::entropy();
  if (!seed) return Fail(seed.error());
  Rng rng(*seed);
  const auto secret = crypto::SessionSecret::generate(rng);
  return KeyTexts{crypto::public_of(secret).base64(), to_base64(secret.bytes())};
}

Outcome run_wg_export(Context& context, const Arguments& arguments) {
  const auto keys = keys_of(arguments);
  if (!keys) return Fail(keys.error());
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const auto text_or_null = [&](std::string_view flag) {
    return arguments.has(flag) ? Json(arguments.get(flag)) : Json();
  };
  const Json body = {{"name", arguments.words[0]},
                     {"public_key", keys->public_key},
                     {"via", text_or_null("--via")},
                     {"endpoint", text_or_null("--endpoint")}};
  const auto answer = client->call({"POST", "/v1/wg/export", dump(body)});
  if (!answer) return Fail(answer.error());
  Json exported = parse_document(*answer);
  const std::string config = wg_quick_config(exported, keys->private_key);
  exported["config"] = config;
  context.out << (arguments.json ? dump(exported) + "\n" : config);
  return 0;
}

}  // namespace

std::vector<Verb> wg_verbs() {
  return {
      {"wg show",
       "",
       "This node's WireGuard public key and port",
       {"ginnel wg show", "ginnel wg show --json"},
       {},
       {1, 3, 4},
       0,
       0,
       run_wg_show},
      {"wg export",
       "NAME",
       "Let a stock WireGuard peer in and print its configuration",
       {"ginnel wg export phone > phone.conf", "ginnel wg export laptop --public-key KEY"},
       {{"Export",
         {{"--via", "NODE", "which node lets it in", "this one"},
          {"--public-key", "KEY", "the peer's own key; else one is made and shown once"},
          {"--endpoint", "HOST:PORT", "where the peer reaches this node", "as this node knows"}}}},
       {1, 3, 4, 5},
       1,
       1,
       run_wg_export},
  };
}

}  // namespace ginnel::cli
