// ginnel-sim: chaos from seeds. One line per seed; a seed that fails prints what was violated and
// the line that runs it again. `./dev sim` builds and runs this.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>

#include "sim/chaos.h"

namespace ginnel::sim {
namespace {

constexpr char kUsage[] =
    "usage: ginnel-sim [--seed=0x…] [--seeds=N] [--minutes=M] [--faults=PER_MINUTE]\n"
    "                  [--planes=PERCENT]\n"
    "Runs N seeds from the given one on (1; 1), each with M (5) simulated minutes of faults. The\n"
    "packets of PERCENT (50) of the nodes are moved as the daemon's are, those of the others in "
    "the\n"
    "core.\n";

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  int minutes = 5;
  int faults_per_minute = 3;
  int planes_percent = 50;
};

// The number behind `prefix`, decimal or 0x…; nullopt: another argument, or no number.
template <class T>
bool take(std::string_view argument, std::string_view prefix, T& out) {
  if (!argument.starts_with(prefix)) return false;
  argument.remove_prefix(prefix.size());
  const int base = argument.starts_with("0x") ? 16 : 10;
  if (base == 16) argument.remove_prefix(2);
  const char* end = argument.data() + argument.size();
  const auto read = std::from_chars(argument.data(), end, out, base);
  return read.ec == std::errc() && read.ptr == end;
}

std::optional<Arguments> parse(int count, char** texts) {
  Arguments out;
  for (int i = 1; i < count; ++i) {
    const std::string_view text = texts[i];
    const bool known = take(text, "--seed=", out.seed) || take(text, "--seeds=", out.seeds) ||
                       take(text, "--minutes=", out.minutes) ||
                       take(text, "--faults=", out.faults_per_minute) ||
                       take(text, "--planes=", out.planes_percent) ||
                       text.starts_with("--at=");  // the commit, for whoever reads the line
    if (!known || out.minutes < 1 || out.faults_per_minute < 1 || out.planes_percent < 0 ||
        out.planes_percent > 100) {
      return std::nullopt;
    }
  }
  return out;
}

void print(const Arguments& arguments, std::uint64_t seed, const ChaosResult& result) {
  std::printf(
      "%s, %zu nodes (%zu hubs), %llu faults, %llu messages (%llu acknowledged, %llu failed), "
      "%llu of %llu packets (%llu refused), %llu events, hash %016llx\n",
      result.ok() ? "ok" : "FAILED", result.nodes, result.hubs,
      static_cast<unsigned long long>(result.faults_total()),
      static_cast<unsigned long long>(result.traffic.messages),
      static_cast<unsigned long long>(result.traffic.acknowledged),
      static_cast<unsigned long long>(result.traffic.failed),
      static_cast<unsigned long long>(result.traffic.packets),
      static_cast<unsigned long long>(result.traffic.packets_sent),
      static_cast<unsigned long long>(result.traffic.refused),
      static_cast<unsigned long long>(result.events), static_cast<unsigned long long>(result.hash));
  if (!result.ok()) {
    std::printf("%sagain: ./dev sim --seed=0x%llx --minutes=%d --faults=%d --planes=%d\n",
                result.report.c_str(), static_cast<unsigned long long>(seed), arguments.minutes,
                arguments.faults_per_minute, arguments.planes_percent);
  }
  std::fflush(stdout);
}

int run(const Arguments& arguments) {
  std::array<std::uint64_t, kFaultKinds> faults{};
  std::uint64_t failed = 0;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    const std::uint64_t seed = arguments.seed + i;
    // Before it runs, so that a failed assertion leaves the seed behind.
    std::printf("seed 0x%llx: ", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    const ChaosResult result =
        run_chaos({.seed = seed,
                   .minutes = arguments.minutes,
                   .faults_per_minute = static_cast<double>(arguments.faults_per_minute),
                   .planes = static_cast<double>(arguments.planes_percent) / 100});
    print(arguments, seed, result);
    for (std::size_t k = 0; k < kFaultKinds; ++k) faults[k] += result.faults[k];
    failed += result.ok() ? 0 : 1;
  }
  std::printf("faults:");
  for (std::size_t k = 0; k < kFaultKinds; ++k) {
    std::printf("%s %llu %s", k == 0 ? "" : ",", static_cast<unsigned long long>(faults[k]),
                std::string(fault_name(static_cast<FaultKind>(k))).c_str());
  }
  std::printf("\n%llu passed, %llu failed\n",
              static_cast<unsigned long long>(arguments.seeds - failed),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ginnel::sim

int main(int count, char** texts) {
  const auto arguments = ginnel::sim::parse(count, texts);
  if (!arguments) {
    std::fputs(ginnel::sim::kUsage, stderr);
    return 2;
  }
  return ginnel::sim::run(*arguments);
}
