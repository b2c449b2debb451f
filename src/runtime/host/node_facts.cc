#include "runtime/host/node_facts.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/reader.h"
#include "crypto/dh.h"
#include "io/system_error.h"
#include "runtime/hub_sources.h"
#include "runtime/resolve.h"

namespace ginnel::host {
namespace {

namespace fs = std::filesystem;

void look_at_mode(NodeFacts& facts, const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return;
  const unsigned mode = status.st_mode & 07777u;
  if ((mode & 077u) != 0) facts.loose.push_back({path, mode, mode & ~077u});
}

// identity_store/README.md: state/ is 0700 and its files are 0600.
void look_at_modes(NodeFacts& facts, const fs::path& state) {
  std::error_code bad;
  if (!fs::exists(state, bad)) return;
  look_at_mode(facts, state);
  for (fs::directory_iterator it(state, bad), end; !bad && it != end; it.increment(bad)) {
    // The lock holds a process id, which is no secret.
    if (it->path().filename() != "lock") look_at_mode(facts, it->path());
  }
}

void read_config(NodeFacts& facts, const identity::Places& places,
                 const runtime::GetEnvironment& get_environment) {
  std::error_code bad;
  if (!fs::exists(places.config_file, bad)) return;
  auto file = runtime::load_valid_config(places.config_file, get_environment);
  if (file) {
    facts.config = file->loaded.config;
  } else {
    facts.config_error = file.error();
  }
}

void take_hubs(NodeFacts& facts, const identity::Identity& own) {
  const crypto::SessionPublic self = crypto::public_of(own.session);
  for (const runtime::HubSource& source : runtime::hub_sources(facts.config, own.enrolment)) {
    if (source.key == self || source.texts.empty()) continue;
    KnownHub& hub = facts.hubs.emplace_back();
    hub.name = source.name.empty() ? source.texts.front() : source.name;
    hub.texts = source.texts;
    for (const std::string& text : source.texts) {
      const auto found = runtime::resolve(text);
      hub.endpoints.insert(hub.endpoints.end(), found.begin(), found.end());
    }
  }
}

void read_port(NodeFacts& facts, const identity::StateStore& store) {
  const auto bytes = store.get("port");
  if (!bytes || !*bytes) return;
  Reader r(**bytes);
  const std::uint64_t port = r.u64le();
  if (r.finished() && port > 0 && port <= 65535) facts.kept_port = static_cast<std::uint16_t>(port);
}

void read_identity(NodeFacts& facts, const identity::Places& places) {
  std::error_code bad;
  if (!fs::exists(places.state, bad)) return;
  const auto store = identity::StateStore::open(places.state);
  if (!store) {
    facts.identity_error = store.error();
    return;
  }
  auto own = identity::load_identity(*store);
  if (!own) {
    facts.identity_error = own.error();
    return;
  }
  if (!*own) return;
  facts.joined = true;
  facts.hub = (*own)->enrolment.role == Role::kHub;
  facts.cidr = (*own)->enrolment.cidr;
  facts.addresses = (*own)->addresses();
  read_port(facts, *store);
  take_hubs(facts, **own);
}

}  // namespace

NodeFacts read_node_facts(const identity::Places& places,
                          const runtime::GetEnvironment& get_environment) {
  NodeFacts out;
  read_config(out, places, get_environment);
  out.cidr = out.config.network.cidr.value_or(*Prefix::parse(config::kDefaultCidr));
  look_at_modes(out, places.state);
  read_identity(out, places);
  return out;
}

Result<void, Error> tighten(const LooseFile& file) {
  if (::chmod(file.path.c_str(), file.wanted) == 0) return {};
  return Fail(io::system_error(errno, Errc::kFile, "chmod " + file.path.string()));
}

}  // namespace ginnel::host
