// key new, rotate, export, and key ls of a node. The keys of a gossip cluster are in
// verbs_gossip.cc.
#include "cli/verbs_key.h"

#include <chrono>

#include "cli/daemon.h"
#include "cli/table.h"
#include "runtime/daemon/documents.h"
#include "runtime/keys.h"

namespace ginnel::cli {
namespace {

std::string date_text(Wall wall) {
  return runtime::rfc3339(std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(Nanoseconds(wall.ns))));
}

int wrote(Context& context, const Arguments& arguments, const std::string& path) {
  if (arguments.json) context.out << dump({{"v", 1}, {"path", path}}) << "\n";
  return 0;
}

// Like `wg genkey`: the secret is the output, and goes nowhere else.
Outcome run_key_new(Context& context, const Arguments& arguments) {
  const auto secret = runtime::new_shared_secret();
  if (!secret) return Fail(secret.error());
  if (const std::string path = arguments.get("--output"); !path.empty()) {
    if (auto done = runtime::write_private_file(path, *secret + "\n"); !done)
      return Fail(done.error());
    return wrote(context, arguments, path);
  }
  if (arguments.json) {
    context.out << dump({{"v", 1}, {"secret", *secret}}) << "\n";
  } else {
    context.out << *secret << "\n";
  }
  return 0;
}

// Private keys: to a file, and never onto a screen or into a log.
Outcome run_key_export(Context& context, const Arguments& arguments) {
  const std::string path = arguments.get("--output");
  if (path.empty()) {
    return Fail(Error{Errc::kUsage, "key export: no file: private keys go to a file of their own",
                      "ginnel key export -o F"});
  }
  const auto text = runtime::export_node(places_of(context, arguments));
  if (!text) return Fail(text.error());
  if (auto done = runtime::write_private_file(path, *text); !done) return Fail(done.error());
  return wrote(context, arguments, path);
}

Outcome run_key_rotate(Context& context, const Arguments& arguments) {
  return show(context, arguments, {"POST", "/v1/key/rotate"}, [](const Json& json) {
    return "session key " + text_at(json, "fingerprint") + " of " + text_at(json, "id") + "\n";
  });
}

Json facts_json(const runtime::KeyFacts& facts) {
  return {{"v", 1},
          {"id", facts.id.text()},
          {"name", facts.name},
          {"network",
           {{"id", facts.network}, {"name", facts.network_name}, {"by_secret", facts.by_secret}}},
          {"identity", {{"fingerprint", facts.identity}}},
          {"session", {{"fingerprint", facts.session}}},
          {"certificate",
           {{"serial", facts.serial},
            {"not_before", date_text(facts.not_before)},
            {"not_after", date_text(facts.not_after)},
            {"issuer", facts.issuer},
            {"by_network_key", facts.by_network_key}}}};
}

std::string facts_text(const runtime::KeyFacts& facts) {
  Table table({"KEY", "FINGERPRINT", "WHAT"});
  table.add({"identity", facts.identity, facts.id.text()});
  table.add({"session", facts.session,
             "serial " + std::to_string(facts.serial) + ", until " + date_text(facts.not_after)});
  table.add({"issuer", facts.issuer, facts.by_network_key ? "the network key" : "a hub"});
  table.add({"network", facts.network.substr(0, 16),
             facts.network_name + (facts.by_secret ? ", by shared secret" : ", by token")});
  return table.text();
}

}  // namespace

std::optional<Outcome> show_own_keys(Context& context, const Arguments& arguments) {
  const auto places = places_of(context, arguments);
  if (!runtime::has_identity(places)) return std::nullopt;
  const auto facts = runtime::key_facts(places);
  if (!facts) return Outcome(Fail(facts.error()));
  context.out << (arguments.json ? dump(facts_json(*facts)) + "\n" : facts_text(*facts));
  return Outcome(0);
}

std::vector<Verb> own_key_verbs() {
  const FlagGroup to_file = {
      "Output", {{"--output", "F", "this file, mode 0600; never overwritten", "", "", false, 'o'}}};
  return {
      {"key new",
       "",
       "Print a fresh shared secret for a network",
       {"ginnel key new -o network.secret", "(umask 077; ginnel key new > network.secret)"},
       {to_file},
       {1, 4},
       0,
       0,
       run_key_new},
      {"key rotate",
       "",
       "Renew this node's session key; its Id and its sessions stay",
       {"ginnel key rotate", "ginnel key rotate --dir /tmp/a"},
       {},
       {1, 3, 4, 6},
       0,
       0,
       run_key_rotate},
      {"key export",
       "",
       "Copy this node into one private file, for a backup or a move",
       {"ginnel key export -o alice.node", "ginnel init --from alice.node"},
       {to_file},
       {1, 4},
       0,
       0,
       run_key_export},
  };
}

}  // namespace ginnel::cli
