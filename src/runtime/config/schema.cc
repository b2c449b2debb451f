#include "runtime/config/schema.h"

#include <algorithm>
#include <array>
#include <vector>

#include "runtime/config/values.h"

namespace ginnel::config {
namespace {

using Wrong = std::optional<std::string>;  // nullopt: the value was taken

template <class T>
struct Choice {
  std::string_view word;
  T value;
};

template <class T, std::size_t N>
Wrong choose(T& field, const std::string& text, const std::array<Choice<T>, N>& choices) {
  std::string words;
  for (const auto& choice : choices) {
    if (choice.word == text) {
      field = choice.value;
      return std::nullopt;
    }
    words += (words.empty() ? "\"" : ", \"") + std::string(choice.word) + "\"";
  }
  return "must be one of " + words;
}

template <class Int>
Wrong ranged(Int& field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high)
    return "must be from " + std::to_string(low) + " to " + std::to_string(high);
  field = static_cast<Int>(value);
  return std::nullopt;
}

Wrong duration(Nanoseconds& field, const std::string& text, Nanoseconds low, Nanoseconds high) {
  const auto value = parse_duration(text);
  if (!value) return "must be a duration such as \"10s\"";
  if (*value < low || *value > high)
    return "must be from " + duration_text(low) + " to " + duration_text(high);
  field = *value;
  return std::nullopt;
}

Wrong set_name(Config& c, const Value& v) {
  if (!is_node_name(v.text)) return "must be 1 to 63 of a-z, 0-9 and -";
  c.node.name = v.text;
  return std::nullopt;
}

Wrong set_listen(Config& c, const Value& v) {
  if (v.items.size() != 1) return "must hold one entry: one socket carries everything";
  c.node.listen = parse_listen(v.items[0].text);
  if (!c.node.listen) return "must be \"udp://ADDR:PORT\"";
  return std::nullopt;
}

// A network with more configured hubs than this is a mistake, not a network.
constexpr std::size_t kHubsMax = 64;

Wrong set_hubs(Config& c, const Value& v) {
  if (v.items.size() > kHubsMax) return "must hold at most " + std::to_string(kHubsMax);
  for (const Value& item : v.items) {
    const auto hub = parse_hub_name(item.text);
    if (!hub) return "must hold \"HOST:PORT\" or \"KEY@HOST:PORT\"";
    c.network.hubs.push_back(*hub);
  }
  return std::nullopt;
}

Wrong set_cidr(Config& c, const Value& v) {
  const auto prefix = Prefix::parse(v.text);
  const bool sized = prefix && prefix->address.is_v4() && prefix->length >= 96 + 8 &&
                     prefix->length <= 96 + 30 && v.text.find('/') != std::string::npos;
  if (!sized) return "must be an IPv4 range from /8 to /30, such as \"10.66.0.0/16\"";
  c.network.cidr = prefix;
  return std::nullopt;
}

Wrong set_secret_file(Config& c, const Value& v) {
  if (v.text.empty()) return "must be the name of a file";
  c.network.secret_file = v.text;
  return std::nullopt;
}

// A longer list is that of a whole network, which certificates say better.
constexpr std::size_t kAllowMax = 4096;

Wrong set_allow(Config& c, const Value& v) {
  if (v.items.size() > kAllowMax) return "must hold at most " + std::to_string(kAllowMax);
  std::vector<Id> ids;
  for (const Value& item : v.items) {
    const auto id = Id::parse(item.text);
    if (!id) return "must hold Ids: C or S and a UUID, as `ginnel peers --json` shows them";
    ids.push_back(*id);
  }
  c.network.allow = std::move(ids);
  return std::nullopt;
}

Wrong set_connect(Config& c, const Value& v) {
  return choose(c.network.connect, v.text,
                std::array{Choice{std::string_view("on-demand"), Connect::kOnDemand},
                           Choice{std::string_view("eager"), Connect::kEager}});
}
Wrong set_when_hubs_lost(Config& c, const Value& v) {
  return choose(c.network.when_hubs_lost, v.text,
                std::array{Choice{std::string_view("continue"), WhenHubsLost::kContinue},
                           Choice{std::string_view("stop"), WhenHubsLost::kStop}});
}

Wrong set_heartbeat(Config& c, const Value& v) {
  if (v.text == "auto") return std::nullopt;
  Nanoseconds every{};
  const Wrong wrong = duration(every, v.text, 500ms, 60s);
  if (wrong) return *wrong + ", or \"auto\"";
  c.network.heartbeat = every;
  return std::nullopt;
}
Wrong set_retain(Config& c, const Value& v) {
  return duration(c.network.retain, v.text, 1s, 10min);
}
Wrong set_resolve_timeout(Config& c, const Value& v) {
  return duration(c.network.resolve_timeout, v.text, 0s, 10min);
}

Wrong set_tun_enable(Config& c, const Value& v) {
  return choose(c.tun.enable, v.text,
                std::array{Choice{std::string_view("auto"), TunEnable::kAuto},
                           Choice{std::string_view("yes"), TunEnable::kYes},
                           Choice{std::string_view("no"), TunEnable::kNo}});
}
// The hub that certifies a node chooses its address (docs/design.md section 4).
Wrong only_auto(Config&, const Value& v) {
  if (v.text != "auto") return "must be \"auto\": this version lacks addresses of one's own choice";
  return std::nullopt;
}
Wrong set_tun_mtu(Config& c, const Value& v) {
  if (v.type == ValueType::kText && v.text == "auto") return std::nullopt;
  // docs/design.md section 3: never below 1280; 1420 is what stock WireGuard peers use.
  constexpr std::string_view kWrong = "must be \"auto\" or a number from 1280 to 1420";
  if (v.type != ValueType::kInteger || v.integer < 1280 || v.integer > 1420)
    return std::string(kWrong);
  c.tun.mtu = static_cast<std::uint16_t>(v.integer);
  return std::nullopt;
}

Wrong set_dns_names(Config& c, const Value& v) {
  return choose(
      c.dns.names, v.text,
      std::array{Choice{std::string_view("auto"), true}, Choice{std::string_view("off"), false}});
}

Wrong set_punch_enable(Config& c, const Value& v) {
  c.punch.enable = v.boolean;
  return std::nullopt;
}
Wrong set_probes(Config& c, const Value& v) {
  return ranged(c.punch.probes_per_second, v.integer, 1, 10'000);
}

Wrong set_gossip_preset(Config& c, const Value& v) {
  return choose(c.gossip.preset, v.text,
                std::array{Choice{std::string_view("lan"), GossipPreset::kLan},
                           Choice{std::string_view("wan"), GossipPreset::kWan},
                           Choice{std::string_view("local"), GossipPreset::kLocal}});
}

Wrong set_hub_public(Config& c, const Value& v) {
  const auto endpoint = Endpoint::parse(v.text);
  if (!endpoint || endpoint->port == 0 || endpoint->address.is_unspecified())
    return "must be the address that others reach: \"203.0.113.9:7700\"";
  c.hub->public_endpoint = endpoint;
  return std::nullopt;
}
Wrong set_probe_port(Config& c, const Value& v) {
  std::uint16_t port = 0;
  Wrong wrong = ranged(port, v.integer, 1, 65'535);
  if (!wrong) c.hub->probe_port = port;
  return wrong;
}

Wrong set_log_level(Config& c, const Value& v) {
  return choose(c.log.level, v.text,
                std::array{Choice{std::string_view("trace"), LogLevel::kTrace},
                           Choice{std::string_view("debug"), LogLevel::kDebug},
                           Choice{std::string_view("info"), LogLevel::kInfo},
                           Choice{std::string_view("warn"), LogLevel::kWarn},
                           Choice{std::string_view("error"), LogLevel::kError}});
}
Wrong set_log_format(Config& c, const Value& v) {
  return choose(c.log.format, v.text,
                std::array{Choice{std::string_view("auto"), LogFormat::kAuto},
                           Choice{std::string_view("journald"), LogFormat::kJournald},
                           Choice{std::string_view("text"), LogFormat::kText},
                           Choice{std::string_view("json"), LogFormat::kJson}});
}

Wrong set_peer_name(Config& c, const Value& v) {
  if (!is_node_name(v.text)) return "must be 1 to 63 of a-z, 0-9 and -";
  c.wireguard_peers.back().name = v.text;
  return std::nullopt;
}
Wrong set_peer_key(Config& c, const Value& v) {
  const auto key = crypto::SessionPublic::from_base64(v.text);
  if (!key) return "must be a WireGuard public key: 44 characters of base64";
  c.wireguard_peers.back().public_key = *key;
  return std::nullopt;
}
Wrong set_peer_endpoint(Config& c, const Value& v) {
  const auto endpoint = parse_hub_name(v.text);
  if (!endpoint || endpoint->key) return "must be \"HOST:PORT\"";
  c.wireguard_peers.back().endpoint = endpoint;
  return std::nullopt;
}
Wrong set_peer_allowed(Config& c, const Value& v) {
  if (v.items.empty()) return "must hold at least one range";
  for (const Value& item : v.items) {
    const auto prefix = Prefix::parse(item.text);
    if (!prefix) return "must hold ranges such as \"10.66.9.1/32\"";
    // Its route would take the tunnel's own packets too.
    const bool everything = prefix->length == (prefix->address.is_v4() ? 96 : 0);
    if (everything) return "must not hold everything: this version makes no default route";
    c.wireguard_peers.back().allowed_ips.push_back(*prefix);
  }
  return std::nullopt;
}
Wrong set_peer_psk(Config& c, const Value& v) {
  if (v.text.empty()) return "must be the name of a file";
  c.wireguard_peers.back().psk_file = v.text;
  return std::nullopt;
}
Wrong set_peer_keepalive(Config& c, const Value& v) {
  return ranged(c.wireguard_peers.back().keepalive_seconds, v.integer, 0, 65'535);
}

constexpr std::array kKeys = {
    Key{"node.name", Form::kText, "", set_name},
    Key{"node.listen", Form::kTexts, "", set_listen},
    Key{"network.hubs", Form::kTexts, "[]", set_hubs},
    Key{"network.cidr", Form::kText, "\"10.66.0.0/16\"", set_cidr},
    Key{"network.secret_file", Form::kText, "", set_secret_file},
    Key{"network.allow", Form::kTexts, "", set_allow},
    Key{"network.connect", Form::kText, "\"on-demand\"", set_connect},
    Key{"network.when_hubs_lost", Form::kText, "\"continue\"", set_when_hubs_lost},
    Key{"network.heartbeat", Form::kText, "\"auto\"", set_heartbeat},
    Key{"network.resolve_timeout", Form::kText, "\"10s\"", set_resolve_timeout},
    Key{"network.retain", Form::kText, "\"30s\"", set_retain},
    Key{"tun.enable", Form::kText, "\"auto\"", set_tun_enable},
    Key{"tun.address", Form::kText, "\"auto\"", only_auto},
    Key{"tun.mtu", Form::kTextOrInteger, "\"auto\"", set_tun_mtu},
    Key{"dns.names", Form::kText, "\"auto\"", set_dns_names},
    Key{"punch.enable", Form::kBoolean, "true", set_punch_enable},
    Key{"punch.probes_per_second", Form::kInteger, "500", set_probes},
    Key{"gossip.preset", Form::kText, "\"wan\"", set_gossip_preset},
    Key{"hub.public", Form::kText, "", set_hub_public},
    Key{"hub.probe_port", Form::kInteger, "", set_probe_port},
    Key{"log.level", Form::kText, "\"info\"", set_log_level},
    Key{"log.format", Form::kText, "\"auto\"", set_log_format},
};

constexpr std::array kPeerKeys = {
    Key{"wireguard.peer.name", Form::kText, "", set_peer_name},
    Key{"wireguard.peer.public_key", Form::kText, "", set_peer_key},
    Key{"wireguard.peer.endpoint", Form::kText, "", set_peer_endpoint},
    Key{"wireguard.peer.allowed_ips", Form::kTexts, "", set_peer_allowed},
    Key{"wireguard.peer.psk_file", Form::kText, "", set_peer_psk},
    Key{"wireguard.peer.keepalive", Form::kInteger, "0", set_peer_keepalive},
};

constexpr std::array<std::string_view, 8> kSections = {"node",  "network", "tun", "dns",
                                                       "punch", "gossip",  "hub", "log"};

// Take a row away once its feature is there.
constexpr std::array kLacking = {
    Lacking{"routes", "", "routes behind a node"},
    Lacking{"link", "", "repair of bad links"},
    Lacking{"hub.tcp", "", "the relay over TCP"},
    Lacking{"hub.election", "", "the election of a Master"},
    Lacking{"hub.etcd", "", "the election by etcd"},
    Lacking{"hub.etcd_ca", "", "the election by etcd"},
    Lacking{"hub.etcd_cert", "", "the election by etcd"},
    Lacking{"hub.etcd_key", "", "the election by etcd"},
    Lacking{"hub.etcd_password_file", "", "the election by etcd"},
    Lacking{"hub.etcd_prefix", "", "the election by etcd"},
    Lacking{"hub.etcd_ttl", "", "the election by etcd"},
    Lacking{"http", "", "the status page"},
};

constexpr auto kKeyPaths = [] {
  std::array<std::string_view, kKeys.size()> out{};
  std::ranges::transform(kKeys, out.begin(), &Key::path);
  return out;
}();

bool all_texts(const Value& list) {
  return std::ranges::all_of(list.items, [](const Value& v) { return v.type == ValueType::kText; });
}

}  // namespace

std::span<const Key> keys() { return kKeys; }
std::span<const Key> wireguard_peer_keys() { return kPeerKeys; }
std::span<const std::string_view> key_paths() { return kKeyPaths; }
std::span<const std::string_view> section_names() { return kSections; }
std::span<const Lacking> lacking() { return kLacking; }

const Key* find_key(std::string_view path) {
  const auto found = std::ranges::find(kKeys, path, &Key::path);
  return found == kKeys.end() ? nullptr : &*found;
}

const Lacking* find_lacking(std::string_view path, const Value& value) {
  const auto matches = [&](const Lacking& row) {
    const bool inside = path == row.path || (path.starts_with(row.path) &&
                                             path.substr(row.path.size()).starts_with('.'));
    return inside &&
           (row.value.empty() || (value.type == ValueType::kText && value.text == row.value));
  };
  const auto found = std::ranges::find_if(kLacking, matches);
  return found == kLacking.end() ? nullptr : &*found;
}

bool is_secret(std::string_view path) {
  const std::string_view last = path.substr(path.rfind('.') + 1);
  constexpr std::array<std::string_view, 5> kWords = {"secret", "key", "token", "password", "psk"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return last.find(word) != std::string_view::npos; });
}

std::optional<std::string_view> wrong_form(Form form, const Value& value) {
  const ValueType type = value.type;
  switch (form) {
    case Form::kText:
      return type == ValueType::kText ? std::nullopt : std::optional("a text");
    case Form::kTexts:
      if (type == ValueType::kList && all_texts(value)) return std::nullopt;
      return "a list of texts";
    case Form::kBoolean:
      return type == ValueType::kBoolean ? std::nullopt : std::optional("true or false");
    case Form::kInteger:
      return type == ValueType::kInteger ? std::nullopt : std::optional("a whole number");
    case Form::kTextOrInteger:
      if (type == ValueType::kText || type == ValueType::kInteger) return std::nullopt;
      return "a text or a whole number";
  }
  return std::nullopt;
}

}  // namespace ginnel::config
