#include "runtime/gossip/refusal_error.h"

#include "runtime/gossip/documents.h"

namespace ginnel::gossip {
namespace {

using swim::metadata::Key;
using swim::metadata::Refusal;
using swim::metadata::Space;

// What is missing, for people.
std::string called(const Key& key) {
  if (key.space == Space::kPublished) return "meta";
  return "kv: the key " + key.name + (key.owner.empty() ? "" : " of " + key.owner);
}

}  // namespace

Error refusal_error(Refusal refusal, const Key& key) {
  const std::string what = called(key);
  switch (refusal) {
    case Refusal::kMalformed:
      return {Errc::kUsage, what + ": a key has 1 to 512 bytes, and only a member writes its own",
              "ginnel kv put --help"};
    case Refusal::kTooLarge:
      return {Errc::kTooLarge, what + ": a key has at most 512 bytes, a value 1 MiB", "send less"};
    case Refusal::kFull:
      return {Errc::kTooLarge, what + ": the cluster's 65536 keys or 128 MiB are used up",
              "ginnel kv ls, then ginnel kv del what is not needed"};
    case Refusal::kChanged:
      return {Errc::kChanged, what + ": it is not the version that was seen",
              "ginnel kv get --json shows the present one"};
    case Refusal::kUnknownKey:
      return {Errc::kUnknownKey, what + ": there is none", "ginnel kv ls"};
    case Refusal::kClock:
      return {Errc::kUsage, what + ": this machine's clock was put back by more than 5 minutes",
              "set the clock, and restart the member"};
  }
  return {Errc::kInternal, what, ""};
}

Error no_shared_data(swim::App app, std::string_view what) {
  return {Errc::kWrongApp,
          std::string(what) + ": this cluster is \"" + std::string(app_name(app)) +
              "\", whose members share no data",
          "start each member with --app ginnel"};
}

}  // namespace ginnel::gossip
