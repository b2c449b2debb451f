#include "runtime/keys.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/sign.h"
#include "io/entropy.h"
#include "io/fd.h"
#include "proto/control/chain.h"
#include "runtime/config_file.h"
#include "runtime/identity_store/enrolment.h"
#include "runtime/prepared.h"

namespace ginnel::runtime {
namespace {

using nlohmann::json;

constexpr std::string_view kKind = "ginnel node";
// In the order of writing: whoever finds enrolment.json finds all the others.
constexpr std::array<std::string_view, 8> kExported = {
    "identity.key", "session.key", "network.key", "pins",
    "revocations",  "tokens",      "epoch",       "enrolment.json"};
// The node may have run on after the export. Its next run is later than each of those.
constexpr std::uint64_t kEpochsAhead = std::uint64_t{1} << 32;

Error no_export(const std::string& why) {
  return {Errc::kKeyUnreadable, "this is no file of `ginnel key export`: " + why,
          "give the file that ginnel key export -o F wrote"};
}

std::string fingerprint(const control::KeyHash& hash) { return to_hex(bytes_of(hash)); }

Wall wall_of(std::uint64_t seconds) { return Wall{} + std::chrono::seconds(seconds); }

ByteVector later_epoch(ConstBytes stored) {
  Reader r(stored);
  const std::uint64_t epoch = r.u64le();
  ByteVector out(8);
  Writer(out).u64le(r.finished() ? epoch + kEpochsAhead : kEpochsAhead);
  return out;
}

// Throws what nlohmann throws where a key is missing or of another type.
std::map<std::string, ByteVector> files_of(const json& document) {
  std::map<std::string, ByteVector> out;
  for (const std::string_view name : kExported) {
    const auto found = document.at("files").find(std::string(name));
    if (found == document.at("files").end()) continue;
    const auto bytes = from_base64(found->get_ref<const std::string&>());
    if (bytes) out.emplace(name, *bytes);
  }
  return out;
}

Result<NodeSummary, Error> write_node(const identity::Places& places, const json& document) {
  auto files = files_of(document);
  if (!files.contains("enrolment.json")) return Fail(no_export("it lacks enrolment.json"));
  if (auto epoch = files.find("epoch"); epoch != files.end()) {
    epoch->second = later_epoch(epoch->second);
  }
  std::error_code ignored;
  std::filesystem::create_directories(places.config_file.parent_path(), ignored);
  if (!std::filesystem::exists(places.config_file, ignored)) {
    auto written = write_config_text(places.config_file, document.at("config").get<std::string>());
    if (!written) return Fail(written.error());
  }
  const auto store = identity::StateStore::open(places.state);
  if (!store) return Fail(store.error());
  for (const std::string_view name : kExported) {
    const auto file = files.find(std::string(name));
    if (file == files.end()) continue;
    const auto put = store->put(name, file->second);
    crypto::wipe(file->second);
    if (!put) return Fail(put.error());
  }
  const auto identity = identity::load_identity(*store);
  if (!identity) return Fail(identity.error());
  const auto& own = **identity;
  return NodeSummary{own.id(), own.enrolment.name, own.enrolment.network_name, own.addresses()};
}

Result<identity::Identity, Error> identity_in(const identity::Places& places) {
  if (!has_identity(places)) return Fail(not_joined(places));
  const auto store = identity::StateStore::open(places.state);
  if (!store) return Fail(store.error());
  auto identity = identity::load_identity(*store);
  if (!identity) return Fail(identity.error());
  if (!*identity) return Fail(not_joined(places));
  return std::move(**identity);
}

}  // namespace

Result<std::string, Error> new_shared_secret() {
  auto key = io::entropy();
  if (!key) return Fail(key.error());
  Rng rng(*key);
  const auto secret = crypto::SymmetricKey::generate(rng);
  return to_base64(secret.bytes());
}

Result<void, Error> write_private_file(const std::filesystem::path& path, std::string_view text) {
  const io::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    const int number = errno;
    if (number == EEXIST) {
      return Fail(Error{Errc::kExists, path.string() + " exists, and was kept",
                        "give another name, or remove it first"});
    }
    const bool denied = number == EACCES || number == EPERM || number == EROFS;
    return Fail(Error{denied ? Errc::kPermission : Errc::kFile,
                      path.string() + ": " + std::strerror(number), "choose another place"});
  }
  while (!text.empty()) {
    const ssize_t n = ::write(fd.get(), text.data(), text.size());
    if (n <= 0) {
      const std::string why = std::strerror(errno);
      ::unlink(path.c_str());
      return Fail(Error{Errc::kFile, path.string() + ": " + why, "choose another place"});
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  ::fsync(fd.get());
  return {};
}

bool has_identity(const identity::Places& places) {
  std::error_code ignored;
  return std::filesystem::exists(places.state / "enrolment.json", ignored);
}

Result<KeyFacts, Error> key_facts(const identity::Places& places) {
  const auto own = identity_in(places);
  if (!own) return Fail(own.error());
  const auto chain = control::parse_chain(own->enrolment.chain);
  if (!chain) {
    return Fail(Error{Errc::kKeyUnreadable, places.state.string() + ": the certificate is damaged",
                      "restore the folder from a backup, or join again in a new one"});
  }
  const control::Certificate& leaf = chain->leaf;
  KeyFacts out;
  out.id = own->id();
  out.name = own->enrolment.name;
  out.network_name = own->enrolment.network_name;
  out.network = own->enrolment.network.hex();
  out.by_secret = own->enrolment.by_secret;
  out.identity = fingerprint(control::key_hash(leaf.identity));
  out.session = fingerprint(control::key_hash(crypto::IdentityPublic(leaf.session.bytes())));
  out.issuer = fingerprint(leaf.issuer);
  out.by_network_key = leaf.issuer == control::key_hash(own->enrolment.network);
  out.serial = leaf.serial;
  out.not_before = wall_of(leaf.not_before_seconds);
  out.not_after = wall_of(leaf.not_before_seconds + leaf.lifetime_seconds);
  out.folder = places.state;
  return out;
}

Result<std::string, Error> export_node(const identity::Places& places) {
  if (const auto own = identity_in(places); !own) return Fail(own.error());
  const auto store = identity::StateStore::open(places.state);
  if (!store) return Fail(store.error());
  const auto config = read_config_text(places.config_file);
  if (!config) return Fail(config.error());
  json files = json::object();
  for (const std::string_view name : kExported) {
    auto bytes = store->get(name);
    if (!bytes) return Fail(bytes.error());
    if (*bytes) files[std::string(name)] = to_base64(**bytes);
    if (*bytes) crypto::wipe(**bytes);
  }
  const json document{{"v", 1}, {"kind", kKind}, {"config", *config}, {"files", std::move(files)}};
  return document.dump(1) + "\n";
}

Result<NodeSummary, Error> restore_node(const identity::Places& places, std::string_view text) {
  if (has_identity(places)) {
    return Fail(Error{Errc::kExists,
                      places.state.string() + " holds a node already, which was kept",
                      "choose another folder with --dir"});
  }
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object() || document.value("kind", "") != kKind) {
    return Fail(no_export("it is something else, or cut short"));
  }
  if (document.value("v", 0) != 1) return Fail(no_export("it is of a newer version"));
  try {
    return write_node(places, document);
  } catch (const json::exception&) {
    return Fail(no_export("something in it is missing"));
  }
}

}  // namespace ginnel::runtime
