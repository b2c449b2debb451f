#include "cli/demo/scenes.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <deque>
#include <fstream>

#include "cli/demo/transfer.h"
#include "cli/document.h"

namespace ginnel::cli::demo {
namespace {

constexpr std::chrono::milliseconds kLeaveMax{5000};  // a graceful leave takes a fraction of it
constexpr std::chrono::milliseconds kStartMax{10'000};
constexpr int kLookMilliseconds = 20;
constexpr std::size_t kLogLinesShown = 10;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string log_of(const Actor& actor) { return actor.name + ".log"; }

bool is_cancelled(const Result<void, Error>& done) {
  return !done && done.error().code == Errc::kCancelled;
}

Result<void, Error> without_value(const Result<std::string, Error>& shown) {
  if (!shown) return Fail(shown.error());
  return {};
}

}  // namespace

Scenes::~Scenes() {
  for (auto daemon = daemons_.rbegin(); daemon != daemons_.rend(); ++daemon)
    daemon->stop(kLeaveMax);
}

Result<void, Error> Scenes::play() {
  struct Scene {
    Done (Scenes::*play)();
    bool essential;
  };
  constexpr std::array<Scene, 9> kScenes = {{{&Scenes::start_hub, true},
                                             {&Scenes::start_peers, true},
                                             {&Scenes::look, false},
                                             {&Scenes::turn_direct, false},
                                             {&Scenes::messages, false},
                                             {&Scenes::ip_ping, false},
                                             {&Scenes::tcp, false},
                                             {&Scenes::explain, false},
                                             {&Scenes::leave, false}}};
  describe();
  for (const Scene& scene : kScenes) {
    auto done = (this->*scene.play)();
    if (is_cancelled(done)) return done;
    if (done || !scene.essential) continue;
    show_logs();
    return done;
  }
  if (!story_.failures().empty()) show_logs();
  return {};
}

void Scenes::describe() {
  if (!stage_.has_tun()) {
    story_.say("On loopback without TUN: " + stage_.why_loopback + ".\n"
               "A hub and two peers on 127.0.0.1: no NAT to get through, no IP ping, no TCP.");
    return;
  }
  const std::string prefix = stage_.world->network("");
  story_.say(
      "A hub on an internet of its own, and two peers behind two different NATs:\n\n"
      "  alice -- [NAT 198.51.100.20: address and port restricted] --+\n"
      "                                                              +-- hub 203.0.113.7\n"
      "  bob   -- [NAT 192.0.2.30: address restricted] --------------+\n\n"
      "All in network namespaces of this machine (" + prefix + "*), gone at the end.");
}

Result<void, Error> Scenes::start_hub() {
  story_.heading("A network begins with a hub");
  const std::string& at = stage_.hub_endpoint;
  const Words init = {"init", "--hub",    "--name", "hub",      "--network",
                      "demo", "--listen", at,       "--public", at};
  const auto made = story_.ginnel(stage_.hub, init);
  if (!made) return Fail(made.error());
  if (!stage_.has_tun()) {
    const auto set = story_.ginnel(stage_.hub, {"config", "set", "tun.enable", "no"});
    if (!set) return Fail(set.error());
  }
  if (auto started = start_daemon(stage_.hub); !started) return started;
  return story_.ginnel_into(stage_.hub, {"invite", "--uses", "2"}, "token");
}

Result<void, Error> Scenes::start_peers() {
  story_.heading("Two peers join with the token");
  if (auto joined = start_peer(stage_.alice, alice_id_); !joined) return joined;
  return start_peer(stage_.bob, bob_id_);
}

Result<void, Error> Scenes::start_peer(const Actor& actor, std::string& id) {
  Words words = {"join", "--token-file", "token", "--name", actor.name};
  if (!stage_.has_tun()) words.insert(words.end(), {"--no-tun", "--listen", "127.0.0.1:0"});
  const auto joined = story_.ginnel(actor, words);
  if (!joined) return Fail(joined.error());
  id = first_line(*joined);
  return start_daemon(actor);
}

Result<void, Error> Scenes::start_daemon(const Actor& actor) {
  auto daemon = story_.background(actor, {"up", "--foreground"}, log_of(actor));
  if (!daemon) return Fail(daemon.error());
  daemons_.push_back(*std::move(daemon));
  if (auto opened = socket_opens(actor); !opened) return opened;
  return without_value(story_.ginnel(actor, {"wait", "--timeout", "10"}));
}

// `wait` has little patience with a daemon that is not there yet; a busy machine may need more.
Result<void, Error> Scenes::socket_opens(const Actor& actor) {
  const std::string path = stage_.folder.path() + "/" + actor.name + "/ginnel.sock";
  const Patience patience = story_.patience(kStartMax);
  while (::access(path.c_str(), F_OK) != 0) {
    const bool late = std::chrono::steady_clock::now() > patience.end;
    if (late || !daemons_.back().runs())
      return Fail(story_.failed("ginnel up", {Errc::kInternal, "the daemon does not start", ""}));
    pollfd interrupt = {patience.interrupt_fd, POLLIN, 0};
    if (::poll(&interrupt, 1, kLookMilliseconds) > 0)
      return Fail(Error{Errc::kCancelled, "interrupted", ""});
  }
  return {};
}

Result<void, Error> Scenes::look() {
  story_.heading("What alice sees");
  const auto there = story_.ginnel(stage_.alice, {"wait", "--peer", "bob", "--timeout", "10"});
  if (!there) return Fail(there.error());
  return without_value(story_.ginnel(stage_.alice, {"status"}));
}

// Pongs name their path, so what is said here is what the daemon reported.
Result<void, Error> Scenes::turn_direct() {
  if (!stage_.has_tun()) {
    // There is no NAT to get through: any way will do.
    story_.heading("A ping names the path that it took");
    return without_value(story_.ginnel(stage_.alice, {"ping", "bob", "-c", "3", "-i", "0.25"}));
  }
  story_.heading("From the relay to a path of their own");
  const auto pongs = story_.ginnel(
      stage_.alice, {"ping", "bob", "--until-direct", "-c", "40", "-i", "0.25"});
  if (!pongs) return Fail(pongs.error());
  const std::string first = first_line(*pongs);
  const bool relayed = first.find(" via relay") != std::string::npos;
  const bool punched = pongs->find(" via punched") != std::string::npos;
  if (relayed && punched)
    story_.say("(First through the hub; then straight, through both NATs.)");
  else if (relayed)
    story_.say("(First through the hub; then straight.)");
  return {};
}

Result<void, Error> Scenes::messages() {
  story_.heading("Messages both ways, by name and by Id");
  if (auto done = exchange(stage_.alice, stage_.bob, bob_id_); !done) return done;
  return exchange(stage_.bob, stage_.alice, alice_id_);
}

Result<void, Error> Scenes::exchange(const Actor& source, const Actor& target,
                                     const std::string& target_id) {
  const std::string by_name = "hello " + target.name;
  const std::string by_id = "is this really you, " + target.name + "?";
  auto subscriber = story_.background(target, {"sub", "-n", "2"});
  if (!subscriber) return Fail(subscriber.error());
  const auto first = story_.ginnel(source, {"msg", target.name, by_name, "--ack"});
  if (!first) return Fail(first.error());
  const auto second = story_.ginnel(source, {"msg", target_id, by_id, "--ack"});
  if (!second) return Fail(second.error());
  const auto heard = story_.foreground(*subscriber, "ginnel sub");
  if (!heard) return Fail(heard.error());
  const std::string start = source.name + " default ";
  if (*heard == start + by_name + "\n" + start + by_id + "\n") return {};
  return Fail(story_.failed("ginnel sub", {Errc::kInternal, "it heard something else", ""}));
}

// As `asked` reports it: the IPv4 overlay address of `of`. Empty: none is known.
std::string Scenes::overlay_address(const Actor& of, const Actor& asked) {
  const auto answer = story_.quietly(asked, {"ginnel", "--dir", asked.name, "--json", "peers"});
  if (!answer) return "";
  const Json document = parse_document(*answer);
  for (const Json& peer : child(document, "peers")) {
    const Json& addresses = child(peer, "addresses");
    if (text_at(peer, "name") == of.name && addresses.is_array() && !addresses.empty())
      return addresses[0].get<std::string>();
  }
  return "";
}

Result<void, Error> Scenes::ip_ping() {
  if (!stage_.has_tun()) return {};
  story_.heading("Plain IP, by name: bob is a host like any other");
  std::string target = stage_.bob.name;
  if (!story_.quietly(stage_.alice, {"getent", "-s", "files", "hosts", target})) {
    target = overlay_address(stage_.bob, stage_.alice);
    story_.say("(The name bob does not resolve here, so this is the address from `ginnel peers`.)");
    if (target.empty())
      return Fail(story_.failed("ping", {Errc::kInternal, "alice knows no address of bob", ""}));
  }
  return without_value(
      story_.program(stage_.alice, {"ping", "-c", "3", "-i", "0.3", "-W", "2", target}));
}

Result<void, Error> Scenes::tcp() {
  if (!stage_.has_tun()) return {};
  story_.heading("TCP from alice to bob, through the tunnel");
  const std::string text = overlay_address(stage_.bob, stage_.alice);
  const auto address = Address::parse(text);
  if (!address)
    return Fail(story_.failed("TCP", {Errc::kInternal, "alice knows no address of bob", ""}));
  const auto done = transfer({.source = stage_.alice.network,
                              .target = stage_.bob.network,
                              .address = *address,
                              .interrupt_fd = story_.patience({}).interrupt_fd});
  if (!done) return Fail(story_.failed("TCP", done.error()));
  const double bytes = static_cast<double>(done->bytes);
  char line[160];
  std::snprintf(line, sizeof line, "%.1f MB to %s in %.1f s, every byte compared: ", bytes / 1e6,
                text.c_str(), done->seconds);
  story_.say(line + bit_rate_text(bytes * 8 / done->seconds));
  return {};
}

Result<void, Error> Scenes::explain() {
  story_.heading("Why this path");
  return without_value(story_.ginnel(stage_.alice, {"why", "bob"}));
}

Result<void, Error> Scenes::leave() {
  story_.heading("Everybody leaves");
  Done result;
  for (const Actor* actor : {&stage_.bob, &stage_.alice, &stage_.hub}) {
    const auto left = story_.ginnel(*actor, {"leave"});
    if (!left && result) result = Fail(left.error());
    if (is_cancelled(result)) return result;
  }
  for (Process& daemon : daemons_) {
    const auto ended = daemon.finish(story_.patience(kLeaveMax), {});
    if (!ended) return Fail(story_.failed("ginnel up", ended.error()));
    if (ended->code == 0) continue;
    const std::string code = "exit " + std::to_string(ended->code);
    return Fail(story_.failed("ginnel up", {Errc::kInternal, code, ""}));
  }
  return result;
}

// What the daemons logged goes with the folder, so its end is shown when something failed.
void Scenes::show_logs() {
  for (const Actor* actor : {&stage_.hub, &stage_.alice, &stage_.bob}) {
    std::ifstream log(stage_.folder.path() + "/" + log_of(*actor));
    std::deque<std::string> last;
    for (std::string line; std::getline(log, line);) {
      last.push_back(line);
      if (last.size() > kLogLinesShown) last.pop_front();
    }
    if (last.empty()) continue;
    story_.heading("The end of " + log_of(*actor));
    for (const std::string& line : last) story_.say(line);
  }
}

}  // namespace ginnel::cli::demo
