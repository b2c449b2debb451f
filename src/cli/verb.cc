#include "cli/verb.h"

#include <algorithm>
#include <array>

namespace ginnel::cli {
namespace {

constexpr std::array<std::string_view, 13> kFutureVerbs = {
    "top", "map", "bench", "send", "recv", "forward", "serve", "lock", "master", "hub", "route",
    "acl", "selftest"};

std::vector<Verb> collect() {
  std::vector<Verb> out;
  for (auto group : {start_verbs(), look_verbs(), try_verbs(), host_verbs(), use_verbs(),
                     admin_verbs(), gossip_verbs(), metadata_verbs()})
    std::ranges::move(group, std::back_inserter(out));
  return out;
}

}  // namespace

std::string Arguments::get(std::string_view flag) const {
  const auto found = flags.find(flag);
  return found == flags.end() || found->second.empty() ? "" : found->second.back();
}

std::vector<std::string> Arguments::all(std::string_view flag) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::vector<std::string>{} : found->second;
}

std::span<const Verb> verbs() {
  static const std::vector<Verb> kVerbs = collect();
  return kVerbs;
}

const Verb* find_verb(std::string_view name) {
  const auto found = std::ranges::find(verbs(), name, &Verb::name);
  return found == verbs().end() ? nullptr : &*found;
}

Error usage(std::string_view verb, std::string text) {
  return {Errc::kUsage, std::string(verb) + ": " + std::move(text),
          "ginnel " + std::string(verb) + " --help"};
}

bool is_future_verb(std::string_view name) {
  return std::ranges::find(kFutureVerbs, name) != kFutureVerbs.end();
}

identity::Places places_of(const Context& context, const Arguments& arguments) {
  const char* from_environment = context.get_environment("GINNEL_DIR");
  std::string dir = arguments.dir;
  if (dir.empty() && from_environment != nullptr) dir = from_environment;
  return identity::places_for({dir, context.root, context.get_environment});
}

}  // namespace ginnel::cli
