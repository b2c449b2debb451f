// What needs the node: this file goes when src/runtime can run one.
#include <cstdlib>

#include "runtime/prepared.h"
#include "runtime/redeem.h"
#include "runtime/setup.h"

namespace ginnel::runtime {
namespace {

Error no_node(const char* verb) {
  return {Errc::kInternal, std::string(verb) + ": this build holds no node", ""};
}

}  // namespace

Result<Redeemed, Error> redeem_token(const RedeemRequest&) { return Fail(no_node("join")); }

Result<void, Error> run_daemon(const DaemonOptions& options) {
  const auto prepared =
      prepare(options.places, [](const char* name) -> const char* { return std::getenv(name); });
  if (!prepared) return Fail(prepared.error());
  return Fail(no_node("up"));
}

}  // namespace ginnel::runtime
