#include "runtime/config/reload.h"

#include <algorithm>
#include <array>

namespace ginnel::config {
namespace {

struct Live {
  std::string_view path;
  void (*take)(Config& running, const Config& file);
};

constexpr std::array kLive = {
    Live{"network.allow", [](Config& c, const Config& f) { c.network.allow = f.network.allow; }},
    Live{"network.retain",
         [](Config& c, const Config& f) { c.network.retain = f.network.retain; }},
    Live{"network.resolve_timeout",
         [](Config& c, const Config& f) { c.network.resolve_timeout = f.network.resolve_timeout; }},
    Live{"dns.names", [](Config& c, const Config& f) { c.dns.names = f.dns.names; }},
    Live{"punch.enable", [](Config& c, const Config& f) { c.punch.enable = f.punch.enable; }},
    Live{"punch.probes_per_second",
         [](Config& c, const Config& f) { c.punch.probes_per_second = f.punch.probes_per_second; }},
    Live{"log.level", [](Config& c, const Config& f) { c.log.level = f.log.level; }},
};

const Setting* find_setting(const std::vector<Setting>& settings, std::string_view path) {
  const auto found = std::ranges::find(settings, path, &Setting::path);
  return found == settings.end() ? nullptr : &*found;
}

// The paths of both, in the order of the file's; those that only one of them has included.
std::vector<std::string> all_paths(const Loaded& running, const Loaded& file) {
  std::vector<std::string> out;
  for (const Setting& setting : file.settings) out.push_back(setting.path);
  for (const Setting& setting : running.settings) {
    if (!find_setting(file.settings, setting.path)) out.push_back(setting.path);
  }
  return out;
}

}  // namespace

ReloadPlan take_changes(Loaded& running, const Loaded& file) {
  ReloadPlan out;
  for (const std::string& path : all_paths(running, file)) {
    const Setting* before = find_setting(running.settings, path);
    const Setting* after = find_setting(file.settings, path);
    if (before && after && before->toml == after->toml) continue;
    const auto live = std::ranges::find(kLive, path, &Live::path);
    if (live == kLive.end() || !before || !after) {
      out.restart.push_back(path);
      continue;
    }
    live->take(running.config, file.config);
    *std::ranges::find(running.settings, path, &Setting::path) = *after;
    out.changed.push_back(path);
  }
  return out;
}

void take_last_wireguard_peer(Loaded& running, const Loaded& file) {
  const std::size_t last = file.config.wireguard_peers.size() - 1;
  const std::string path = "wireguard.peer[" + std::to_string(last) + "].";
  for (const Setting& setting : file.settings) {
    const bool is_new = !find_setting(running.settings, setting.path);
    if (is_new && setting.path.starts_with(path)) running.settings.push_back(setting);
  }
  running.config.wireguard_peers.push_back(file.config.wireguard_peers.back());
}

}  // namespace ginnel::config
