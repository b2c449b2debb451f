#include "runtime/gossip/member.h"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "io/clock.h"
#include "io/netlink.h"
#include "proto/swim/misfit.h"
#include "runtime/gossip/documents.h"
#include "runtime/gossip/gossip_api.h"
#include "runtime/log.h"

namespace ginnel::gossip {
namespace {

using nlohmann::json;

constexpr int kInterrupted = 130;
// A fault in what others send is looked for so often, and told at most so often, by its kind.
constexpr Nanoseconds kDropsCheck = 1s;
constexpr Nanoseconds kDropsPause = 10s;

swim::Config preset_config(Preset preset) {
  switch (preset) {
    case Preset::kWan:
      return swim::Config::wan();
    case Preset::kLocal:
      return swim::Config::local();
    case Preset::kLan:
      break;
  }
  return swim::Config::lan();
}

}  // namespace

std::optional<Address> single_private_address() {
  const auto netlink = io::Netlink::open();
  if (!netlink) return std::nullopt;
  const auto addresses = (*netlink)->addresses();
  if (!addresses) return std::nullopt;
  std::optional<Address> out;
  for (const io::InterfaceAddress& one : *addresses) {
    const bool fits = one.usable && one.address.is_v4() && one.address.is_private();
    if (!fits || one.address.is_loopback()) continue;
    if (out && *out != one.address) return std::nullopt;
    out = one.address;
  }
  return out;
}

swim::AgentConfig Member::agent_config(const Options& options) {
  swim::AgentConfig out;
  out.swim = preset_config(options.preset);
  out.swim.name = options.name;
  out.swim.frame.label = options.label;
  out.swim.frame.compress = options.compress;
  if (options.advertise)
    out.swim.advertise = *options.advertise;
  else
    out.swim.advertise.address = options.bind.address;
  out.app = options.app;
  out.tags = options.tags;
  if (options.meta) out.meta = to_vector(bytes_of(*options.meta));
  return out;
}

Member::Member(Options options)
    : options_(std::move(options)), engine_(agent_config(options_), options_.bind, options_.carrier) {}

Member::~Member() {
  // Their threads post to the loop.
  http_.reset();
  control_.reset();
  joiner_.reset();
}

Result<void, Error> Member::open() {
  auto signals = io::Signals::block({SIGTERM, SIGINT});
  if (!signals) return Fail(signals.error());
  signals_.emplace(*std::move(signals));
  if (auto done = open_folder(); !done) return done;
  if (!options_.key_file.empty()) {
    auto keys = KeyFile::load(options_.key_file);
    if (!keys) return Fail(keys.error());
    keys_.emplace(*std::move(keys));
    engine_.set_keys(keys_->keys());
  }
  engine_.on_event([this](const swim::AgentEvent& event) { handle(event); });
  if (auto done = engine_.open(); !done) return done;
  events_ = std::make_unique<EventLog>(STDOUT_FILENO, options_.json);
  if (auto done = watch_signals(); !done) return done;
  drops_alarm_ = engine_.loop().add_alarm([this] { watch_drops(); });
  engine_.loop().set(drops_alarm_, io::now() + 1s);
  return open_servers();
}

Result<void, Error> Member::open_folder() {
  std::error_code error;
  const auto folder = options_.socket.parent_path();
  std::filesystem::create_directories(folder, error);
  if (error) {
    const bool denied = error == std::errc::permission_denied;
    return Fail(Error{denied ? Errc::kPermission : Errc::kFile,
                      "folder " + folder.string() + ": " + error.message(),
                      "choose another --dir"});
  }
  auto lock = io::LockFile::take(folder / "gossip.lock");
  if (!lock) return Fail(lock.error());
  lock_.emplace(*std::move(lock));
  return {};
}

Result<void, Error> Member::open_servers() {
  api_ = std::make_unique<GossipApi>(*this);
  auto control = control_api::Server::listen(
      options_.socket, [this](const control_api::Request& request, control_api::Responder to) {
        engine_.loop().post([this, request, to] { api_->answer(request, to); });
      });
  if (!control) return Fail(control.error());
  control_ = *std::move(control);
  if (!options_.http) return {};
  auto http = control_api::Server::listen_http(
      *options_.http, [this](const control_api::Request& request, control_api::Responder to) {
        engine_.loop().post([this, request, to] { api_->answer_http(request, to); });
      });
  if (!http) return Fail(http.error());
  http_ = *std::move(http);
  return {};
}

Result<void, Error> Member::watch_signals() {
  return engine_.loop().watch(signals_->fd(), {.read = true}, [this](io::Ready) {
    while (signals_->next()) {
      if (agent().is_leaving()) return end(kInterrupted);
      leave();
    }
  });
}

Result<int, Error> Member::run() {
  const Endpoint local = engine_.local();
  say("ready", {{"name", options_.name},
                {"bind", local.text()},
                {"advertise", engine_.advertise().text()},
                {"app", app_name(agent().app())}});
  engine_.start();
  joiner_ = std::make_unique<Joiner>(
      engine_, options_.join,
      Joiner::Handlers{.joined = [this](const Endpoint& via) { joined(via); },
                       .failed =
                           [this](const std::string& address, Errc code, const std::string& text) {
                             say("join_failed",
                                 {{"address", address}, {"code", code_name(code)}, {"text", text}});
                           },
                       .all_failed =
                           [this] {
                             if (!options_.join_once) return;
                             end(Fail(Error{Errc::kUnreachable, "join: no address answered",
                                            "without --join-once it is tried again each second"}));
                           }});
  joiner_->start();
  engine_.loop().run();
  return outcome_;
}

Result<void, Error> Member::change_tags(const swim::serf::Tags& set,
                                        const std::vector<std::string>& del) {
  swim::serf::Tags tags = agent().tags();
  for (const auto& [key, value] : set) tags.insert_or_assign(key, value);
  for (const std::string& key : del) tags.erase(key);
  if (agent().set_tags(io::now(), std::move(tags))) return {};
  return Fail(Error{Errc::kUsage, "tags: together they take more than 512 bytes",
                    "shorten them, or take some out with ginnel tags del"});
}

void Member::say(std::string_view name, json more) {
  events_->add(event_json(name, std::move(more), this_moment()));
}

void Member::joined(const Endpoint& via) {
  say("joined", {{"via", via.text()}, {"members", agent().swim().alive_count()}});
}

void Member::handle(const swim::AgentEvent& event) {
  const json document = event_json(event, agent(), this_moment());
  if (!document.is_null()) events_->add(document);
  if (const auto* swim_event = std::get_if<swim::Event>(&event)) handle_swim(*swim_event);
  if (const auto* serf_event = std::get_if<swim::serf::SerfEvent>(&event)) {
    if (std::holds_alternative<swim::serf::KeyChanged>(*serf_event)) save_keys();
  }
  if (const auto* chosen = std::get_if<swim::AppChosen>(&event)) {
    spdlog::info("app {}, as the first member that was met", app_name(chosen->app));
  }
  if (std::holds_alternative<swim::Gone>(event)) gone();
  if (api_) api_->handle(event);
}

void Member::handle_swim(const swim::Event& event) {
  if (joiner_) joiner_->handle(event);
  if (const auto* taken = std::get_if<swim::NameTaken>(&event)) name_taken(*taken);
  if (const auto* misfit = std::get_if<swim::Misfit>(&event)) log_misfit(*misfit);
  if (const auto* refused = std::get_if<swim::MergeRefused>(&event)) {
    spdlog::warn("a join from {} does not fit: {} [E_WRONG_APP]", refused->from.text(),
                 refused->why);
  }
}

// memberlist's wire has no place for another's key, so neither side knows more than this.
void Member::log_misfit(const swim::Misfit& misfit) {
  const std::string theirs = misfit.theirs.empty() ? "nothing" : misfit.theirs;
  spdlog::warn("{} {}: {}; {}; it says of itself (not authenticated): {}",
               misfit.dialled_by_us ? "cannot read the answer of" : "cannot read the request of",
               misfit.peer.text(), swim::name_of(misfit.why),
               swim::keys_and_label(agent().swim().framer()), theirs);
}

void Member::name_taken(const swim::NameTaken& taken) {
  if (joiner_ && joiner_->is_joined()) return;
  say("conflict", {{"member", member_json(taken.holder, agent(), this_moment())},
                   {"other", engine_.advertise().text()}});
  end(Fail(Error{Errc::kNameTaken,
                 "join " + taken.via.text() + ": the name " + options_.name + " is alive at " +
                     taken.holder.endpoint.text(),
                 "choose another --name, or stop that member first"}));
}

void Member::save_keys() {
  if (!keys_) return;
  const auto saved = keys_->save(agent().keys());
  if (saved) return;
  spdlog::error("the key ring changed and cannot be kept: {} [{}]", saved.error().text,
                code_name(saved.error().code));
}

void Member::leave() {
  agent().leave(io::now());
  engine_.pump();
}

void Member::gone() {
  say("left", json::object());
  end(0);
}

void Member::end(Result<int, Error> outcome) {
  outcome_ = std::move(outcome);
  events_->finish();
  engine_.loop().stop();
}

// A member with another key or label would else only see that nobody answers.
void Member::watch_drops() {
  const Instant now = io::now();
  engine_.loop().set(drops_alarm_, now + kDropsCheck);
  using swim::Drop;
  for (const Drop drop :
       {Drop::kWrongKey, Drop::kWrongLabel, Drop::kNotEncrypted, Drop::kUnexpectedCipher}) {
    const std::uint64_t count = agent().swim().dropped(drop);
    DropsTold& told = drops_told_[drop];
    if (count == told.count || now < told.again) continue;
    std::string ours;
    const swim::KeyRing& ring = agent().keys();
    for (std::size_t i = 0; i < ring.size(); ++i) {
      ours += (i == 0 ? "; our keys: " : ", ") + swim::fingerprint_of(ring.key(i));
    }
    if (drop == Drop::kWrongLabel) ours = "; our label: \"" + options_.label + "\"";
    spdlog::warn("{} messages were refused: {}{}", count - told.count, swim::name_of(drop), ours);
    told = {count, now + kDropsPause};
  }
}

namespace {

// Glibc keeps what it once got, and after a large block of a stranger's keeps larger ones. With
// fixed bounds a large block goes back when it is freed, and threads that do little have no heap
// each.
void give_memory_back() {
  constexpr int kLargeBlockBytes = 256 << 10;
  mallopt(M_MMAP_THRESHOLD, kLargeBlockBytes);
  mallopt(M_TRIM_THRESHOLD, 2 * kLargeBlockBytes);
  mallopt(M_ARENA_MAX, 1);
}

}  // namespace

Result<int, Error> run_gossip(Options options) {
  give_memory_back();
  runtime::open_log(options.log);
  if (options.bind.address.is_unspecified() && !options.advertise) {
    const auto own = single_private_address();
    if (!own) {
      return Fail(Error{Errc::kUsage,
                        "gossip: --bind " + options.bind.address.text() +
                            ": this host has not one private address but none or several",
                        "name the one that others reach with --advertise ADDR:PORT"});
    }
    options.advertise = Endpoint{*own, 0};
  }
  Member member(std::move(options));
  if (auto opened = member.open(); !opened) return Fail(opened.error());
  return member.run();
}

}  // namespace ginnel::gossip
