// init and join write the same folder:
//
// 1. what is there already: a node stays as it is, a ginnel.toml keeps every key that no flag gives
// 2. keys and certificate: made here by init, issued by a hub for join
// 3. state/, then ginnel.toml
#include "runtime/setup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "crypto/dh.h"
#include "crypto/sign.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "proto/control/chain.h"
#include "proto/control/identity.h"
#include "proto/control/signing.h"
#include "runtime/config/edit.h"
#include "runtime/config/values.h"
#include "runtime/config_file.h"
#include "runtime/identity_store/enrolment.h"
#include "runtime/redeem.h"

namespace ginnel::runtime {
namespace {

using identity::Identity;
using identity::Places;

// docs/design.md section 4: "Certificates live 90 days."
constexpr std::uint32_t kCertificateSeconds = 90 * 86'400;
// How many candidates for the first address of a network are tried; half of them are free of the
// rules about last octets even in the smallest range.
constexpr std::uint32_t kCandidatesMax = 4096;

NodeSummary summary_of(const Identity& identity) {
  return {identity.id(), identity.enrolment.name, identity.enrolment.network_name,
          identity.addresses()};
}

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return config::node_name_from_host(name);
}

// What the folder holds before: the text of ginnel.toml and what it says.
struct Before {
  std::string text;
  config::Config config;
  std::optional<control::SecretNetwork> secret_network;  // that the file's secret makes
  std::optional<Identity> identity;
};

Result<Before, Error> look_around(const Places& places) {
  Before out;
  std::error_code ignored;
  if (std::filesystem::exists(places.config_file, ignored)) {
    const auto file = load_valid_config(places.config_file, [](const char*) { return nullptr; });
    if (!file) return Fail(file.error());
    const auto text = read_config_text(places.config_file);
    if (!text) return Fail(text.error());
    out.text = *text;
    out.config = file->loaded.config;
    auto secret_network = read_secret_network(*file);
    if (!secret_network) return Fail(secret_network.error());
    out.secret_network = *std::move(secret_network);
  }
  if (!std::filesystem::exists(places.state, ignored)) return out;
  const auto store = identity::StateStore::open(places.state);
  if (!store) return Fail(store.error());
  auto identity = identity::load_identity(*store);
  if (!identity) return Fail(identity.error());
  out.identity = std::move(*identity);
  return out;
}

// ---- keys and certificate of a new network ----

Result<Rng, Error> kernel_rng() {
  const auto key = io::entropy();
  if (!key) return Fail(key.error());
  return Rng(*key);
}

std::optional<Address> first_address(const Id& id, const Prefix& cidr) {
  for (std::uint32_t n = 0; n < kCandidatesMax; ++n) {
    if (auto address = control::overlay_ipv4_candidate(id, cidr, n)) return address;
  }
  return std::nullopt;
}

ByteVector own_chain(const Identity& identity, const crypto::NetworkSecret& network_key) {
  control::Certificate leaf;
  leaf.role = identity.enrolment.role;
  leaf.identity = crypto::public_of(identity.identity);
  leaf.session = crypto::public_of(identity.session);
  leaf.serial = 1;
  leaf.not_before_seconds = static_cast<std::uint64_t>(io::wall().ns / 1'000'000'000);
  leaf.lifetime_seconds = kCertificateSeconds;
  leaf.name = identity.enrolment.name;
  leaf.ipv4 = first_address(identity.id(), identity.enrolment.cidr);
  control::sign_certificate(leaf, network_key);
  return control::to_bytes(control::Chain{leaf, std::nullopt});
}

Result<Identity, Error> found_network(const InitOptions& options, const Before& before) {
  auto rng = kernel_rng();
  if (!rng) return Fail(rng.error());
  Identity out;
  out.identity = crypto::IdentitySecret::generate(*rng);
  out.session = crypto::SessionSecret::generate(*rng);
  const auto& by_secret = before.secret_network;
  const auto network_key =
      by_secret ? by_secret->key.clone() : crypto::NetworkSecret::generate(*rng);
  auto& enrolment = out.enrolment;
  enrolment.role = options.hub || before.config.hub ? Role::kHub : Role::kPeer;
  enrolment.by_secret = by_secret.has_value();
  enrolment.network = crypto::public_of(network_key);
  enrolment.network_name = options.network.empty() ? "home" : options.network;
  enrolment.name = !options.name.empty()              ? options.name
                   : !before.config.node.name.empty() ? before.config.node.name
                                                      : host_name();
  enrolment.cidr = options.cidr                 ? *options.cidr
                   : before.config.network.cidr ? *before.config.network.cidr
                                                : *Prefix::parse(config::kDefaultCidr);
  enrolment.chain = own_chain(out, network_key);
  if (!by_secret) out.network_key = network_key.clone();
  return out;
}

// ---- the folder ----

// A key of ginnel.toml and its value as TOML.
struct Entry {
  std::string path;
  std::string literal;
};

Result<std::string, Error> with_entries(std::string text, const std::vector<Entry>& entries,
                                        const Places& places) {
  for (const Entry& entry : entries) {
    auto edited = config::set_key(text, entry.path, entry.literal);
    if (!edited) {
      return Fail(Error{Errc::kConfigSyntax,
                        places.config_file.string() + ": " + entry.path + " cannot be set in it",
                        "set it by hand, without the flag"});
    }
    text = std::move(*edited);
  }
  return text;
}

Result<void, Error> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::exists(folder, error)) return {};
  std::filesystem::create_directories(folder, error);
  if (!error) chmod(folder.c_str(), 0700);
  if (!error) return {};
  const bool denied = error == std::errc::permission_denied;
  return Fail(Error{denied ? Errc::kPermission : Errc::kFile,
                    folder.string() + ": " + error.message(), "choose another folder with --dir"});
}

Result<NodeSummary, Error> write_folder(const Places& places, const Identity& identity,
                                        const std::string& config_text) {
  if (auto made = make_folder(places.config_file.parent_path()); !made) return Fail(made.error());
  const auto store = identity::StateStore::open(places.state);
  if (!store) return Fail(store.error());
  // The file before the identity: whoever finds an identity finds its configuration too.
  if (auto written = write_config_text(places.config_file, config_text); !written)
    return Fail(written.error());
  if (auto saved = identity::save_identity(*store, identity); !saved) return Fail(saved.error());
  return summary_of(identity);
}

std::string listen_literal(const Endpoint& endpoint) {
  return "[\"udp://" + endpoint.text() + "\"]";
}

Entry text_entry(std::string path, const std::string& text) {
  return {std::move(path), config::quoted(text)};
}

// Flags, and what has no built-in value: a key that the file has and no flag gives stays.
std::vector<Entry> common_entries(const Before& before, const std::string& name,
                                  const std::optional<Endpoint>& listen,
                                  const std::optional<Endpoint>& reached_at) {
  std::vector<Entry> out;
  if (before.config.node.name != name) out.push_back(text_entry("node.name", name));
  if (listen) out.push_back({"node.listen", listen_literal(*listen)});
  if (reached_at) out.push_back(text_entry("hub.public", reached_at->text()));
  return out;
}

std::string with_hub_section(std::string text, bool hub) {
  if (!hub || config::load(text).config.hub) return text;
  return text + (text.empty() ? "" : "\n") + "[hub]\n";
}

// ---- join ----

Error token_error(control::TokenError error) {
  const std::string fix = "make a new one on a hub: ginnel invite";
  switch (error) {
    case control::TokenError::kMalformed:
      return {Errc::kTokenMalformed, "join: this text is no token", fix};
    case control::TokenError::kVersion:
      return {Errc::kTokenMalformed, "join: the token is of a newer version", "update ginnel here"};
    case control::TokenError::kChecksum:
      return {Errc::kTokenMalformed, "join: the token is cut short or mistyped", fix};
  }
  return {Errc::kTokenMalformed, "join: this text is no token", fix};
}

Result<control::Token, Error> read_token(const JoinOptions& options) {
  auto token = control::parse_token(options.token);
  if (!token) return Fail(token_error(token.error()));
  if ((token->role == Role::kHub) == options.hub) return std::move(*token);
  const char* text =
      options.hub ? "join --hub: the token is for a peer" : "join: the token is for a hub";
  const char* fix = options.hub ? "make one for a hub: `ginnel invite --hub` on a hub" : "add --hub, --listen, --public";
  return Fail(Error{Errc::kTokenInvalid, text, fix});
}

// The identity to join with: the one that is there, so that a join may be repeated, else a new one.
Result<Identity, Error> joining_identity(Before& before, const control::Token& token,
                                         const Places& places) {
  if (before.identity) {
    const auto& enrolment = before.identity->enrolment;
    if (enrolment.network == token.network && enrolment.role == token.role)
      return std::move(*before.identity);
    return Fail(Error{Errc::kWrongNetwork,
                      "join: " + places.state.string() + " holds the identity of another network",
                      "choose another folder with --dir, or ginnel leave --forget"});
  }
  auto rng = kernel_rng();
  if (!rng) return Fail(rng.error());
  Identity out;
  out.identity = crypto::IdentitySecret::generate(*rng);
  out.session = crypto::SessionSecret::generate(*rng);
  out.enrolment.role = token.role;
  out.enrolment.network = token.network;
  return out;
}

std::string hubs_literal(const std::vector<control::HubEntry>& hubs) {
  std::string out;
  for (const control::HubEntry& hub : hubs) {
    for (const std::string& endpoint : hub.endpoints) {
      const std::string text = hub.session.base64() + "@" + endpoint;
      out += (out.empty() ? "" : ", ") + config::quoted(text);
    }
  }
  return "[" + out + "]";
}

}  // namespace

Result<NodeSummary, Error> init_node(const InitOptions& options) {
  const auto before = look_around(options.places);
  if (!before) return Fail(before.error());
  if (before->identity) return summary_of(*before->identity);
  if (!options.hub && !before->config.hub && !before->secret_network) {
    return Fail(Error{Errc::kUsage, "init: without --hub there is no network to be in",
                      "ginnel init --hub makes one; ginnel join --token-file F joins one"});
  }
  const auto identity = found_network(options, *before);
  if (!identity) return Fail(identity.error());
  auto entries =
      common_entries(*before, identity->enrolment.name, options.listen, options.public_endpoint);
  if (options.cidr) entries.push_back(text_entry("network.cidr", options.cidr->text()));
  const auto text = with_entries(before->text, entries, options.places);
  if (!text) return Fail(text.error());
  const bool hub = identity->enrolment.role == Role::kHub;
  return write_folder(options.places, *identity, with_hub_section(*text, hub));
}

Result<void, Error> forget_network(const Places& places) {
  const auto file = load_valid_config(places.config_file, [](const char*) { return nullptr; });
  // One that is missing or wrong is left as it is: the keys are what must go.
  if (!file || file->loaded.config.network.hubs.empty()) return {};
  const auto& hubs = file->loaded.config.network.hubs;
  const bool written_by_join = std::ranges::all_of(hubs, [](const auto& hub) { return !!hub.key; });
  if (!written_by_join) return {};
  const auto text = read_config_text(places.config_file);
  if (!text) return Fail(text.error());
  const auto edited = config::set_key(*text, "network.hubs", "[]");
  return edited ? write_config_text(places.config_file, *edited) : Result<void, Error>();
}

Result<NodeSummary, Error> join_node(const JoinOptions& options) {
  auto token = read_token(options);
  if (!token) return Fail(token.error());
  auto before = look_around(options.places);
  if (!before) return Fail(before.error());
  if (before->secret_network) {
    return Fail(Error{Errc::kSharedSecret,
                      "join: " + options.places.config_file.string() +
                          " names a network.secret_file, and that network has no tokens",
                      "ginnel init --name N makes the node; or take the line out"});
  }
  if (before->config.hub && !options.hub) {
    return Fail(Error{Errc::kUsage,
                      "join: " + options.places.config_file.string() + " has [hub], which makes a hub",
                      "take the section out, or join with --hub"});
  }
  auto identity = joining_identity(*before, *token, options.places);
  if (!identity) return Fail(identity.error());
  auto& enrolment = identity->enrolment;
  if (!options.name.empty()) enrolment.name = options.name;
  if (enrolment.name.empty()) enrolment.name = before->config.node.name;
  if (enrolment.name.empty()) enrolment.name = host_name();
  RedeemRequest request{*token, identity->identity, identity->session, enrolment.name,
                        {},     options.timeout};
  if (options.public_endpoint) request.own_endpoints.push_back(options.public_endpoint->text());
  auto redeemed = redeem_token(request);
  if (!redeemed) return Fail(redeemed.error());
  enrolment.chain = std::move(redeemed->chain);
  enrolment.network_name = redeemed->network_name;
  enrolment.cidr = redeemed->cidr;
  enrolment.hubs = std::move(redeemed->hubs);
  auto entries = common_entries(*before, enrolment.name, options.listen, options.public_endpoint);
  if (before->config.network.hubs.empty() && !enrolment.hubs.empty())
    entries.push_back({"network.hubs", hubs_literal(enrolment.hubs)});
  if (options.no_tun) entries.push_back(text_entry("tun.enable", "no"));
  const auto text = with_entries(before->text, entries, options.places);
  if (!text) return Fail(text.error());
  return write_folder(options.places, *identity, with_hub_section(*text, options.hub));
}

}  // namespace ginnel::runtime
