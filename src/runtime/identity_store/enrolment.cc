#include "runtime/identity_store/enrolment.h"

#include <nlohmann/json.hpp>

#include "crypto/dh.h"
#include "crypto/sign.h"
#include "proto/control/chain.h"
#include "proto/control/identity.h"
#include "runtime/identity_store/key_file.h"

namespace ginnel::identity {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kIdentityKey = "identity.key";
constexpr std::string_view kSessionKey = "session.key";
// While a rotation is written: the key that the certificate names is the one that counts.
constexpr std::string_view kNextSessionKey = "session-next.key";
constexpr std::string_view kNetworkKey = "network.key";
constexpr std::string_view kEnrolment = "enrolment.json";

Error damaged(const StateStore& store, std::string_view name) {
  return {Errc::kKeyUnreadable, (store.folder() / name).string() + ": missing or damaged",
          "restore the folder from a backup, or join again in a new one"};
}

Json to_json(const Enrolment& e) {
  Json hubs = Json::array();
  for (const control::HubEntry& hub : e.hubs) {
    hubs.push_back(
        {{"session", hub.session.base64()}, {"name", hub.name}, {"endpoints", hub.endpoints}});
  }
  return {{"v", 1},
          {"role", std::string(1, static_cast<char>(e.role))},
          {"name", e.name},
          {"network_name", e.network_name},
          {"network", e.network.hex()},
          {"cidr", e.cidr.text()},
          {"chain", to_base64(e.chain)},
          {"hubs", hubs},
          {"by_secret", e.by_secret}};
}

// Throws what nlohmann throws where a key is missing or of another type.
std::optional<Enrolment> from_json(const Json& json) {
  const auto network = crypto::NetworkPublic::from_hex(json.at("network").get<std::string>());
  const auto cidr = Prefix::parse(json.at("cidr").get<std::string>());
  const auto chain = from_base64(json.at("chain").get<std::string>());
  if (!network || !cidr || !chain) return std::nullopt;
  Enrolment out{json.at("role") == "S" ? Role::kHub : Role::kPeer,
                json.at("name"),
                json.at("network_name"),
                *network,
                *cidr,
                *chain,
                {},
                json.value("by_secret", false)};
  for (const Json& row : json.at("hubs")) {
    const auto session = crypto::SessionPublic::from_base64(row.at("session").get<std::string>());
    if (!session) return std::nullopt;
    out.hubs.push_back({*session, row.at("name"), row.at("endpoints")});
  }
  return out;
}

std::optional<Enrolment> parse_enrolment(std::string_view text) {
  try {
    return from_json(Json::parse(text));
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Id Identity::id() const {
  return control::derive_id(enrolment.network, enrolment.role, crypto::public_of(identity));
}

std::vector<std::string> Identity::addresses() const {
  std::vector<std::string> out;
  if (const auto chain = control::parse_chain(enrolment.chain); chain && chain->leaf.ipv4)
    out.push_back(chain->leaf.ipv4->text());
  out.push_back(control::overlay_ipv6(enrolment.network, id()).text());
  return out;
}

Result<std::optional<Identity>, Error> load_identity(const StateStore& store) {
  const auto text = store.get(kEnrolment);
  if (!text) return Fail(text.error());
  if (!*text) return std::optional<Identity>();
  auto identity = load_key<crypto::IdentitySecret>(store, kIdentityKey);
  auto session = load_key<crypto::SessionSecret>(store, kSessionKey);
  auto network = load_key<crypto::NetworkSecret>(store, kNetworkKey);
  if (!identity) return Fail(identity.error());
  if (!session) return Fail(session.error());
  if (!network) return Fail(network.error());
  auto enrolment = parse_enrolment(text_of(**text));
  if (!enrolment) return Fail(damaged(store, kEnrolment));
  if (!*identity) return Fail(damaged(store, kIdentityKey));
  if (!*session) return Fail(damaged(store, kSessionKey));
  auto next = load_key<crypto::SessionSecret>(store, kNextSessionKey);
  if (!next) return Fail(next.error());
  const auto chain = control::parse_chain(enrolment->chain);
  if (*next && chain && chain->leaf.session == crypto::public_of(**next)) session = std::move(next);
  return std::optional(Identity{std::move(**identity), std::move(**session), std::move(*network),
                                std::move(*enrolment)});
}

Result<void, Error> save_identity(const StateStore& store, const Identity& identity) {
  if (auto saved = save_key(store, kIdentityKey, identity.identity); !saved) return saved;
  if (auto saved = save_key(store, kSessionKey, identity.session); !saved) return saved;
  if (identity.network_key) {
    if (auto saved = save_key(store, kNetworkKey, *identity.network_key); !saved) return saved;
  }
  return save_enrolment(store, identity.enrolment);
}

Result<void, Error> save_rotation(const StateStore& store, const Identity& identity) {
  if (auto saved = save_key(store, kNextSessionKey, identity.session); !saved) return saved;
  if (auto saved = save_enrolment(store, identity.enrolment); !saved) return saved;
  if (auto saved = save_key(store, kSessionKey, identity.session); !saved) return saved;
  return store.erase(kNextSessionKey);
}

Result<void, Error> save_enrolment(const StateStore& store, const Enrolment& enrolment) {
  return store.put(kEnrolment, bytes_of(to_json(enrolment).dump(2) + "\n"));
}

}  // namespace ginnel::identity
