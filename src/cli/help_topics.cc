// `ginnel help TOPIC`.
#include <array>

#include "cli/help.h"
#include "runtime/config/schema.h"

namespace ginnel::cli {
namespace {

std::string config_keys() {
  std::string out =
      "ginnel.toml: strict TOML, every key optional. A flag goes before the\n"
      "environment, that before the file, that before what the network says,\n"
      "that before the built-in value.\n\n";
  for (const config::Key& key : config::keys()) {
    std::string line = "  " + std::string(key.path);
    line.resize(30, ' ');
    out += line + (key.fallback.empty() ? "-" : std::string(key.fallback)) + "\n";
  }
  out += "\n[[wireguard.peer]] lets a stock WireGuard peer in:\n ";
  for (const config::Key& key : config::wireguard_peer_keys())
    out += " " + std::string(key.path.substr(key.path.rfind('.') + 1));
  out += "\n\nRefused, since this version lacks the feature:\n";
  for (const config::Lacking& row : config::lacking()) {
    std::string line = "  " + std::string(row.path);
    if (!row.value.empty()) line += " = \"" + std::string(row.value) + "\"";
    line.resize(40, ' ');
    out += line + std::string(row.feature) + "\n";
  }
  return out;
}

struct Topic {
  std::string_view name;
  std::string_view text;
};

constexpr std::array kTopics = {
    Topic{"exit-codes",
          "Exit codes\n\n"
          "    0  ok\n    1  failed\n    2  usage\n    3  daemon not running\n"
          "    4  permission denied\n    5  no such peer or key\n"
          "    6  unreachable or timed out\n    7  config invalid\n"
          "    8  degraded (status --check, doctor)\n    9  no quorum or not Master\n"
          "  130  interrupted\n"},
    Topic{"environment",
          "Environment\n\n"
          "  GINNEL_DIR    the folder, as --dir\n"
          "  GINNEL_TOKEN  the join token, where no --token-file is given\n"
          "  GINNEL_LOG    the log level: trace, debug, info, warn, error\n"
          "  NO_COLOR      no colours\n"},
    Topic{"errors",
          "Errors\n\n"
          "An error is two lines on stderr: what failed and why, with a code, then\n"
          "what to do next. With --json it is one document:\n\n"
          "  {\"v\":1,\"error\":{\"code\",\"text\",\"hint\",\"exit\"}}\n\n"
          "`ginnel help E_CODE` explains each code.\n"},
    Topic{"folders",
          "Folders\n\n"
          "With --dir DIR (or GINNEL_DIR) everything of one node is in DIR, so many\n"
          "nodes run on one machine:\n\n"
          "  DIR/ginnel.toml  the configuration\n"
          "  DIR/state/       keys and what the node remembers (mode 0700)\n"
          "  DIR/ginnel.sock  the control socket, while the daemon runs\n\n"
          "Without it: /etc/ginnel, /var/lib/ginnel and /run/ginnel as root, and\n"
          "the XDG folders otherwise.\n"},
    Topic{"paths",
          "Paths: how packets travel to a peer\n\n"
          "  lan        an address in a subnet of an own interface\n"
          "  direct     the other's own or mapped address\n"
          "  punched    through a hole in the NATs that both ends made\n"
          "  relay-udp  through a hub\n"
          "  relay-tcp  through a hub, over TCP\n"
          "  none       no session yet, or every path is dead\n\n"
          "The first message goes through a hub at once; direct ways are tried\n"
          "behind it. `ginnel why PEER` shows each attempt.\n"},
};

constexpr std::array<std::string_view, kTopics.size() + 1> kNames = {
    "config", "exit-codes", "environment", "errors", "folders", "paths"};

}  // namespace

std::span<const std::string_view> topics() { return kNames; }

std::string topic_help(std::string_view topic) {
  if (topic == "config") return config_keys();
  for (const Topic& row : kTopics) {
    if (row.name == topic) return std::string(row.text);
  }
  return "";
}

}  // namespace ginnel::cli
