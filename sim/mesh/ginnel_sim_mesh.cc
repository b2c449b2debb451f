// ginnel-sim-mesh: an idle mesh, with gossip and without it. One line each; the difference is gossip.
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

#include "sim/mesh/idle_mesh.h"

namespace ginnel::sim {
namespace {

constexpr char kMeshUsage[] =
    "usage: ginnel-sim-mesh [--peers=N] [--hubs=H] [--seed=S] [--minutes=M]\n"
    "N (100) peers behind NATs and H (1) hubs, idle. M (15) simulated minutes after the last start,\n"
    "5 more are measured: sessions of each peer, and what it sends; then the same without gossip.\n";

template <class T>
bool take_number(std::string_view argument, std::string_view prefix, T& out) {
  if (!argument.starts_with(prefix)) return false;
  argument.remove_prefix(prefix.size());
  const char* end = argument.data() + argument.size();
  const auto read = std::from_chars(argument.data(), end, out);
  return read.ec == std::errc() && read.ptr == end;
}

std::optional<IdleMeshOptions> parse_mesh(int count, char** texts) {
  IdleMeshOptions out;
  int minutes = 15;
  for (int i = 1; i < count; ++i) {
    const std::string_view text = texts[i];
    const bool known = take_number(text, "--peers=", out.peers) ||
                       take_number(text, "--hubs=", out.hubs) ||
                       take_number(text, "--seed=", out.seed) ||
                       take_number(text, "--minutes=", minutes);
    if (!known) return std::nullopt;
  }
  if (out.peers < 1 || out.hubs < 1 || minutes < 1 || minutes > 1440) return std::nullopt;
  out.settle = std::chrono::minutes(minutes);
  return out;
}

void print_mesh(const char* what, const IdleMeshResult& result) {
  std::printf(
      "%s: sessions per peer max %zu mean %.2f, direct pairs %zu, a peer sends %.1f bytes/s "
      "%.2f packets/s, a hub sends %.0f bytes/s",
      what, result.sessions_max, result.sessions_mean, result.direct_pairs,
      result.peer_bytes_per_second, result.peer_packets_per_second, result.hub_bytes_per_second);
  if (result.converged > Nanoseconds(0)) {
    std::printf(", all are members to all after %.0f s",
                std::chrono::duration<double>(result.converged).count());
  }
  std::printf("\n");
  std::fflush(stdout);
}

int run_mesh(IdleMeshOptions options) {
  std::printf("%zu peers, %zu hubs, seed %llu\n", options.peers, options.hubs,
              static_cast<unsigned long long>(options.seed));
  const IdleMeshResult with = run_idle_mesh(options);
  print_mesh("with gossip   ", with);
  options.gossip.reset();
  const IdleMeshResult without = run_idle_mesh(options);
  print_mesh("without gossip", without);
  std::printf("gossip: %.1f bytes/s per member\n",
              with.peer_bytes_per_second - without.peer_bytes_per_second);
  const bool holds = with.sessions_max <= options.hubs + 6 && with.direct_pairs == 0;
  std::printf("%s: at most hubs + 6 sessions, none direct\n", holds ? "ok" : "FAILED");
  return holds ? 0 : 1;
}

}  // namespace
}  // namespace ginnel::sim

int main(int count, char** texts) {
  const auto options = ginnel::sim::parse_mesh(count, texts);
  if (!options) {
    std::fputs(ginnel::sim::kMeshUsage, stderr);
    return 2;
  }
  return ginnel::sim::run_mesh(*options);
}
