// init, invite, join, up, down, leave.
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "cli/background.h"
#include "cli/daemon.h"
#include "crypto/keys.h"
#include "io/file.h"
#include "runtime/config/values.h"
#include "runtime/identity_store/state_store.h"
#include "runtime/keys.h"

namespace ginnel::cli {
namespace {

using namespace std::chrono_literals;

Result<std::optional<Endpoint>, Error> endpoint_of(const Arguments& arguments,
                                                   std::string_view flag, std::string verb) {
  if (!arguments.has(flag)) return std::optional<Endpoint>();
  std::string text = arguments.get(flag);
  if (text.starts_with("udp://")) text.erase(0, 6);
  auto endpoint = Endpoint::parse(text);
  if (endpoint) return endpoint;
  return Fail(usage(std::move(verb), std::string(flag) + " " + text + ": must be ADDR:PORT"));
}

Result<std::string, Error> name_of(const Arguments& arguments, std::string_view flag,
                                   std::string verb) {
  const std::string name = arguments.get(flag);
  if (name.empty() && !arguments.has(flag)) return name;
  if (config::is_node_name(name)) return name;
  return Fail(usage(std::move(verb), std::string(flag) + " \"" + name +
                                         "\": must be 1 to 63 of a-z, 0-9 and -"));
}

// The Id alone on stdout (docs/cli.md, "Starting").
int print_summary(Context& context, const Arguments& arguments,
                  const runtime::NodeSummary& summary) {
  if (arguments.json) {
    context.out << dump({{"v", 1},
                         {"id", summary.id.text()},
                         {"name", summary.name},
                         {"network", summary.network},
                         {"addresses", summary.addresses}})
                << "\n";
  } else {
    context.out << summary.id.text() << "\n";
  }
  return 0;
}

// An export holds a hub's tokens and pins; more than this is another file.
constexpr std::size_t kExportBytesMax = std::size_t{64} << 20;

Outcome restore(Context& context, const Arguments& arguments) {
  for (const std::string_view flag :
       {"--hub", "--network", "--name", "--listen", "--public", "--cidr"}) {
    if (!arguments.has(flag)) continue;
    return Fail(usage("init", "--from brings all of it: no " + std::string(flag)));
  }
  const io::ReadOptions options{.bytes_max = kExportBytesMax, .secret = true};
  auto bytes = io::read_file(arguments.get("--from"), options);
  if (!bytes) return Fail(bytes.error());
  const auto made = runtime::restore_node(places_of(context, arguments), text_of(*bytes));
  crypto::wipe(*bytes);
  if (!made) return Fail(made.error());
  return print_summary(context, arguments, *made);
}

Outcome run_init(Context& context, const Arguments& arguments) {
  if (arguments.has("--from")) return restore(context, arguments);
  const auto name = name_of(arguments, "--name", "init");
  const auto network = name_of(arguments, "--network", "init");
  const auto listen = endpoint_of(arguments, "--listen", "init");
  const auto reached_at = endpoint_of(arguments, "--public", "init");
  for (const auto* text : {&name, &network})
    if (!*text) return Fail(text->error());
  for (const auto* endpoint : {&listen, &reached_at})
    if (!*endpoint) return Fail(endpoint->error());
  runtime::InitOptions options{places_of(context, arguments),
                               arguments.has("--hub"),
                               *network,
                               *name,
                               *listen,
                               *reached_at,
                               std::nullopt};
  if (arguments.has("--cidr")) {
    options.cidr = Prefix::parse(arguments.get("--cidr"));
    const auto& cidr = options.cidr;
    if (!cidr || !cidr->address.is_v4() || cidr->length < 96 + 8 || cidr->length > 96 + 30)
      return Fail(usage("init", "--cidr must be an IPv4 range from /8 to /30"));
  }
  const auto made = runtime::init_node(options);
  if (!made) return Fail(made.error());
  return print_summary(context, arguments, *made);
}

Outcome run_invite(Context& context, const Arguments& arguments) {
  const auto ttl = seconds_of(arguments, "--ttl", "invite");
  const auto uses = number_of(arguments, "--uses", {1, 100'000});
  if (!ttl) return Fail(ttl.error());
  if (!uses) return Fail(uses.error());
  Json tags = Json::object();
  for (const std::string& tag : arguments.all("--tag")) {
    const auto equals = tag.find('=');
    if (equals == std::string::npos || equals == 0)
      return Fail(usage("invite", "--tag " + tag + ": must be KEY=VALUE"));
    tags[tag.substr(0, equals)] = tag.substr(equals + 1);
  }
  if (*ttl && **ttl <= 0) return Fail(usage("invite", "--ttl must be longer than nothing"));
  const Json body = {{"hub", arguments.has("--hub")},
                     {"ttl", ttl->value_or(3600)},
                     {"uses", uses->value_or(1)},
                     {"tags", tags}};
  return show(context, arguments, {"POST", "/v1/invite", dump(body)},
              [](const Json& json) { return text_at(json, "token") + "\n"; });
}

// A token file is read to its end; more than this is no token.
constexpr std::size_t kTokenFileMax = 64 * 1024;

Result<std::string, Error> token_of(const Context& context, const Arguments& arguments) {
  const std::string file = arguments.get("--token-file");
  std::string text;
  if (file.empty()) {
    const char* variable = context.get_environment("GINNEL_TOKEN");
    if (variable == nullptr || *variable == '\0')
      return Fail(usage("join", "no token: give --token-file F, or - for standard input"));
    text = variable;
  } else if (file == "-") {
    text.assign(std::istreambuf_iterator(context.in), {});
  } else {
    std::ifstream in(file);
    if (!in) {
      return Fail(Error{Errc::kFile, "join: token file " + file + ": " + std::strerror(errno),
                        "make one on a hub: ginnel invite > " + file});
    }
    text.assign(std::istreambuf_iterator(in), {});
  }
  text.resize(std::min(text.size(), kTokenFileMax));
  return text;
}

Outcome run_join(Context& context, const Arguments& arguments) {
  const auto token = token_of(context, arguments);
  const auto name = name_of(arguments, "--name", "join");
  const auto listen = endpoint_of(arguments, "--listen", "join");
  const auto reached_at = endpoint_of(arguments, "--public", "join");
  const auto timeout = seconds_of(arguments, "--timeout", "join");
  if (!token) return Fail(token.error());
  if (!name) return Fail(name.error());
  if (!timeout) return Fail(timeout.error());
  if (arguments.has("--public") && !arguments.has("--hub"))
    return Fail(usage("join", "--public is for a hub: add --hub"));
  for (const auto* endpoint : {&listen, &reached_at})
    if (!*endpoint) return Fail(endpoint->error());
  const auto wait = std::chrono::duration<double>(timeout->value_or(15));
  const auto joined =
      runtime::join_node({places_of(context, arguments), *token, *name, arguments.has("--no-tun"),
                          std::chrono::duration_cast<Nanoseconds>(wait), arguments.has("--hub"),
                          *listen, *reached_at});
  if (!joined) return Fail(joined.error());
  return print_summary(context, arguments, *joined);
}

Outcome run_up(Context& context, const Arguments& arguments) {
  const auto places = places_of(context, arguments);
  const auto ran = arguments.has("--foreground") ? runtime::run_daemon({places, [] {}})
                                                 : run_in_background(places);
  if (!ran) return Fail(ran.error());
  return 0;
}

constexpr auto kLeaveMax = 10s;

bool has_ended(const io::Fd& process) {
  pollfd fd{process.get(), POLLIN, 0};
  return poll(&fd, 1, static_cast<int>(std::chrono::milliseconds(kLeaveMax).count())) > 0;
}

// Without a pidfd: it is gone once nobody answers any more.
bool nobody_answers(const Context& context, const Arguments& arguments) {
  const auto end = std::chrono::steady_clock::now() + kLeaveMax;
  while (std::chrono::steady_clock::now() < end) {
    const auto client = connect(context, arguments);
    if (!client && client.error().code == Errc::kNotRunning) return true;
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

// Returns when the process has ended: its names, device and ports are free for the next one.
Outcome end_daemon(Context& context, const Arguments& arguments, const char* target) {
  io::Fd process;
  {
    auto client = connect(context, arguments);
    if (!client) return Fail(client.error());
    process = client->process();
    const auto answer = client->call({"POST", target});
    // It may end before its answer is out: that is what was asked for.
    if (!answer && answer.error().code != Errc::kNotRunning) return Fail(answer.error());
  }
  if (process ? has_ended(process) : nobody_answers(context, arguments)) return 0;
  return Fail(Error{Errc::kTimeout, "the daemon does not end", "ginnel status"});
}

Outcome run_down(Context& context, const Arguments& arguments) {
  return end_daemon(context, arguments, "/v1/down");
}

Outcome run_leave(Context& context, const Arguments& arguments) {
  const bool forget = arguments.has("--forget");
  const auto left = end_daemon(context, arguments, "/v1/leave");
  const bool stopped = !left && left.error().code == Errc::kNotRunning;
  if (!left && !(forget && stopped)) return left;  // without a daemon keys can still be wiped
  if (!forget) return 0;
  const auto places = places_of(context, arguments);
  std::error_code ignored;
  if (!std::filesystem::exists(places.state, ignored)) return left;
  if (const auto forgotten = runtime::forget_network(places); !forgotten)
    return Fail(forgotten.error());
  const auto store = identity::StateStore::open(places.state);
  if (!store) return Fail(store.error());
  if (const auto erased = store->erase_all(); !erased) return Fail(erased.error());
  return 0;
}

}  // namespace

std::vector<Verb> start_verbs() {
  const Flag name = {"--name", "N", "the node's name", "host name"};
  const Flag listen = {"--listen", "ADDR:PORT", "bind exactly here"};
  const Flag reached_at = {"--public", "ADDR:PORT", "where others reach this hub"};
  return {
      {"init",
       "",
       "Make an identity, and with --hub a new network",
       {"ginnel init --hub --name hub-a --public 203.0.113.9:7700",
        "ginnel init --hub --network home --cidr 10.70.0.0/16",
        "ginnel init --from alice.node"},
       {{"Identity",
         {name, listen, {"--from", "F", "be the node that `ginnel key export` wrote to F"}}},
        {"Network",
         {{"--hub", "", "be a hub, and make the network"},
          {"--network", "NAME", "the network's name", "home"},
          {"--cidr", "CIDR", "overlay IPv4 range", "10.66.0.0/16"},
          reached_at}}},
       {1, 4, 7},
       0,
       0,
       run_init},
      {"invite",
       "",
       "Print a join token (on a hub)",
       {"ginnel invite > token", "ginnel invite --uses 20 --ttl 1d", "ginnel invite --hub"},
       {{"Token",
         {{"--hub", "", "for a hub"},
          {"--ttl", "TIME", "how long it can be redeemed", "1h"},
          {"--uses", "N", "by how many different nodes", "1"},
          {"--tag", "K=V", "a tag of the nodes that redeem it", "", "", true}}}},
       {1, 3, 4},
       0,
       0,
       run_invite},
      {"join",
       "",
       "Join a network with a token",
       {"ginnel join --token-file token --name alice",
        "ssh hub ginnel invite | ginnel join --token-file -"},
       {{"Token",
         {{"--token-file", "F", "the token; - is standard input", "", "GINNEL_TOKEN"},
          {"--timeout", "S", "give up after S seconds", "15"}}},
        {"Identity", {name, {"--no-tun", "", "messages only: sets tun.enable = \"no\""}}},
        {"Hub", {{"--hub", "", "join as a hub"}, listen, reached_at}}},
       {1, 4, 6, 7},
       0,
       0,
       run_join},
      {"up",
       "",
       "Run the node",
       {"ginnel up", "ginnel up --foreground"},
       {{"Run", {{"--foreground", "", "stay here and log to stderr, as systemd wants it"}}}},
       {1, 4, 7},
       0,
       0,
       run_up},
      {"down",
       "",
       "Stop the node",
       {"ginnel down", "ginnel down --dir /tmp/a"},
       {},
       {1, 3, 4, 6},
       0,
       0,
       run_down},
      {"leave",
       "",
       "Leave the network gracefully, and stop",
       {"ginnel leave", "ginnel leave --forget"},
       {{"Keys", {{"--forget", "", "wipe keys and state: the Id is lost"}}}},
       {1, 3, 4, 6},
       0,
       0,
       run_leave},
  };
}

}  // namespace ginnel::cli
