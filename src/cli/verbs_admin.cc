// revoke, completion, version, help; those of wg and config are in verbs_wg.cc and verbs_config.cc.
#include "cli/completion.h"
#include "cli/daemon.h"
#include "cli/help.h"
#include "cli/verbs_config.h"
#include "cli/verbs_key.h"
#include "cli/verbs_wg.h"
#include "cli/version.h"

namespace ginnel::cli {
namespace {

Outcome run_revoke(Context& context, const Arguments& arguments) {
  const Json body = {{"peer", arguments.words[0]}};
  return show(context, arguments, {"POST", "/v1/revoke", dump(body)}, [](const Json& json) {
    return "revoked " + text_at(json, "name") + " " + text_at(json, "id") + "\n";
  });
}

Outcome run_version(Context& context, const Arguments& arguments) {
  if (arguments.json) {
    context.out << dump({{"v", 1}, {"version", kVersion}, {"commit", kCommit}}) << "\n";
  } else {
    context.out << "ginnel " << kVersion << " (" << kCommit << ")\n";
  }
  return 0;
}

Outcome run_completion(Context& context, const Arguments& arguments) {
  const auto script = completion_script(arguments.words[0]);
  if (!script) {
    return Fail(Error{Errc::kUsage,
                      "completion " + arguments.words[0] + ": there is one for bash, zsh and fish",
                      "ginnel completion --help"});
  }
  context.out << (arguments.json ? dump({{"v", 1}, {"text", *script}}) + "\n" : *script);
  return 0;
}

int print_help(Context& context, const Arguments& arguments, const std::string& text) {
  context.out << (arguments.json ? dump({{"v", 1}, {"text", text}}) + "\n" : text);
  return 0;
}

Outcome run_help(Context& context, const Arguments& arguments) {
  if (arguments.words.empty()) return print_help(context, arguments, overview());
  std::string topic = arguments.words[0];
  if (arguments.words.size() > 1) topic += " " + arguments.words[1];
  if (const auto text = help_on(topic)) return print_help(context, arguments, *text);
  const std::string close = nearest_topic(topic);
  return Fail(Error{Errc::kUsage,
                    "help " + topic + ": no such verb, code or topic" +
                        (close.empty() ? "" : ", did you mean \"" + close + "\"?"),
                    "ginnel help"});
}

}  // namespace

std::vector<Verb> admin_verbs() {
  std::vector<Verb> out = {
      {"revoke",
       "PEER",
       "Shut a peer out of the network (on a hub)",
       {"ginnel revoke bob", "ginnel revoke C0190c3f2-6f3a-8c1d-9e2b-0011223344ff"},
       {},
       {1, 3, 4, 5},
       1,
       1,
       run_revoke},
  };
  for (Verb& verb : own_key_verbs()) out.push_back(std::move(verb));
  for (Verb& verb : wg_verbs()) out.push_back(std::move(verb));
  for (Verb& verb : config_verbs()) out.push_back(std::move(verb));
  out.push_back({"completion",
                 "bash|zsh|fish",
                 "Print what makes the shell complete verbs and flags",
                 {"source <(ginnel completion bash)",
                  "ginnel completion fish > ~/.config/fish/completions/ginnel.fish"},
                 {},
                 {},
                 1,
                 1,
                 run_completion});
  out.push_back({"version",
                 "",
                 "Version and commit",
                 {"ginnel version", "ginnel version --json"},
                 {},
                 {},
                 0,
                 0,
                 run_version});
  out.push_back({"help",
                 "[VERB|E_CODE|TOPIC]",
                 "Explain a verb, an error code or a topic",
                 {"ginnel help ping", "ginnel help E_HUB_UNREACHABLE", "ginnel help config"},
                 {},
                 {},
                 0,
                 2,
                 run_help});
  return out;
}

}  // namespace ginnel::cli
