#include "cli/render.h"

#include <algorithm>
#include <cstdio>

#include "cli/human.h"
#include "cli/table.h"

namespace ginnel::cli {
namespace {

std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

std::string first_address(const Json& row) {
  const Json& addresses = child(row, "addresses");
  return addresses.is_array() && !addresses.empty() && addresses[0].is_string()
             ? addresses[0].get<std::string>()
             : "-";
}

std::string udp_word(std::string_view endpoint) {
  return endpoint.starts_with('[') ? "udp6" : "udp4";
}

std::string coloured(std::string text, const Style& style, const char* code) {
  return style.colour ? std::string("\x1b[") + code + "m" + text + "\x1b[0m" : text;
}

std::string state_text(const Json& row, const Style& style) {
  const std::string state = or_dash(text_at(row, "state"));
  return coloured(state, style, state == "online" ? "32" : state == "down" ? "31" : "33");
}

std::string rtt_text(const Json& row) {
  const auto rtt = number_at(row, "rtt");
  return rtt ? milliseconds_text(*rtt) : "-";
}

std::string rate_cell(const Json& row, std::string_view key, const Style& style) {
  const auto rate = number_at(row, key);
  if (!rate) return "-";
  return style.terminal ? rate_text(*rate) : std::to_string(static_cast<std::int64_t>(*rate));
}

std::string repair_text(const Json& row) {
  const Json& repair = child(row, "repair");
  const std::string mode = text_at(repair, "mode");
  const auto overhead = number_at(repair, "overhead");
  if (mode.empty() || mode == "off" || !overhead) return or_dash(mode);
  return mode + " " + std::to_string(static_cast<int>(*overhead * 100 + 0.5)) + "%";
}

std::string seen_text(const Json& row, const Style& style) {
  const auto seen = parse_rfc3339(text_at(row, "last_seen"));
  return seen ? age_text(style.now - *seen) : "-";
}

std::string network_line(const Json& status) {
  const Json& self = child(status, "self");
  const Json& nat = child(self, "nat");
  const Json& hubs = child(status, "hubs");
  const Json& master = child(status, "master");
  const auto online = std::ranges::count_if(
      hubs, [](const Json& hub) { return text_at(hub, "state") == "online"; });
  std::string out = or_dash(text_at(status, "network"));
  if (const auto version = text_at(self, "version"); !version.empty())
    out += " · ginnel " + version;
  if (const auto uptime = number_at(self, "uptime")) out += " · up " + age_text(*uptime);
  out += " · hubs " + std::to_string(online) + "/" + std::to_string(hubs.size());
  if (master.is_object()) {
    out += " (master " + text_at(master, "name");
    const std::string fence = text_at(master, "fence");  // GENERATION.TERM.INDEX
    const auto dot = fence.find('.');
    if (dot != std::string::npos)
      out += ", term " + fence.substr(dot + 1, fence.rfind('.') - dot - 1);
    out += ")";
  }
  if (const auto udp = text_at(self, "udp"); !udp.empty()) out += " · UDP " + udp;
  out += " · NAT " + nat_text(text_at(nat, "mapping"), text_at(nat, "filtering"));
  if (const auto mtu = number_at(self, "mtu"))
    out += " · MTU " + std::to_string(static_cast<int>(*mtu));
  return out + "\n";
}

std::string own_line(const Json& self) {
  std::string out = "me   " + text_at(self, "name") + "  " + text_at(self, "id");
  for (const Json& address : child(self, "addresses"))
    if (address.is_string()) out += "  " + address.get<std::string>();
  for (const Json& listen : child(self, "listen")) {
    if (!listen.is_string()) continue;
    const std::string text = listen.get<std::string>();  // "udp://[::]:7700"
    out += "  udp/" + text.substr(text.rfind(':') + 1);
  }
  return out + "\n";
}

Table peer_table() {
  return Table(
      {"NAME", "ADDRESS", "STATE", "PATH", "RTT", "LOSS", "REPAIR", "RX/s", "TX/s", "SEEN"});
}

void add_peer(Table& table, const Json& peer, const Style& style) {
  const auto loss = number_at(peer, "loss");
  table.add({or_dash(text_at(peer, "name")), first_address(peer), state_text(peer, style),
             path_text(child(peer, "path")), rtt_text(peer), loss ? percent_text(*loss) : "-",
             repair_text(peer), rate_cell(peer, "rx_rate", style),
             rate_cell(peer, "tx_rate", style), seen_text(peer, style)});
}

std::string health_lines(const Json& health, const Style& style) {
  std::string out;
  for (const Json& entry : health) {
    const std::string fix = text_at(entry, "fix");
    const bool error = text_at(entry, "severity") == "error";
    out += coloured("!", style, error ? "31" : "33") + " " + text_at(entry, "text");
    if (!fix.empty()) out += "  -> " + fix;
    out += "\n";
  }
  return out;
}

}  // namespace

std::string path_text(const Json& path) {
  const std::string kind = text_at(path, "kind");
  const std::string endpoint = text_at(path, "endpoint");
  const std::string reason = text_at(path, "reason");
  const std::string why = reason.empty() ? "" : " (" + reason_text(reason) + ")";
  if (kind.empty() || kind == "none") return "-" + why;
  if (kind.starts_with("relay-"))
    return "relay " + text_at(path, "via") + " " + kind.substr(6) + why;
  return endpoint.empty() ? kind : kind + " " + udp_word(endpoint) + " " + endpoint;
}

std::string render_status(const Json& status, const Style& style) {
  std::string out = network_line(status) + own_line(child(status, "self"));
  Table table = peer_table();
  for (const Json& peer : child(status, "peers")) add_peer(table, peer, style);
  return out + table.text() + health_lines(child(status, "health"), style);
}

std::string render_peer(const Json& peer, const Style& style) {
  Table table = peer_table();
  add_peer(table, peer, style);
  return table.text();
}

std::string render_peers(const Json& peers, const Style& style) {
  Table table({"NAME", "ID", "ADDRESS", "STATE", "PATH", "RTT", "SEEN"});
  for (const Json& peer : child(peers, "peers")) {
    table.add({or_dash(text_at(peer, "name")), or_dash(text_at(peer, "id")), first_address(peer),
               state_text(peer, style), path_text(child(peer, "path")), rtt_text(peer),
               seen_text(peer, style)});
  }
  return table.text();
}

std::string render_hubs(const Json& hubs, const Style& style) {
  Table table({"NAME", "ID", "STATE", "ROLE", "RTT", "ENDPOINT"});
  for (const Json& hub : child(hubs, "hubs")) {
    table.add({or_dash(text_at(hub, "name")), or_dash(text_at(hub, "id")), state_text(hub, style),
               or_dash(text_at(hub, "role")), rtt_text(hub), or_dash(text_at(hub, "endpoint"))});
  }
  return table.text();
}

std::string render_why(const Json& why, const Style& style) {
  const Json& peer = child(why, "peer");
  std::string out = text_at(peer, "name") + "  " + or_dash(text_at(peer, "address")) + "  " +
                    path_text(child(why, "path")) + "\n";
  Table table({"KIND", "LOCAL", "REMOTE", "RESULT", "REASON", "AT"});
  std::vector<std::string> fixes;  // in order, each once
  for (const Json& attempt : child(why, "attempts")) {
    const auto at = parse_rfc3339(text_at(attempt, "at"));
    const std::string reason = text_at(attempt, "reason");
    table.add({or_dash(text_at(attempt, "kind")), or_dash(text_at(attempt, "local")),
               or_dash(text_at(attempt, "remote")), or_dash(text_at(attempt, "result")),
               reason.empty() ? "-" : reason_text(reason), at ? age_text(style.now - *at) : "-"});
    const std::string fix = text_at(attempt, "fix");
    if (!fix.empty() && std::ranges::find(fixes, fix) == fixes.end()) fixes.push_back(fix);
  }
  out += table.text();
  for (const std::string& fix : fixes) out += "  -> " + fix + "\n";
  return out;
}

std::string render_pong(const Json& line) {
  const Json& peer = child(line, "peer");
  const std::string name = text_at(peer, "name");
  const auto rtt = number_at(line, "rtt");
  if (!rtt) {
    const auto seq = number_at(line, "seq").value_or(0);
    return "no answer from " + name + " (seq " + std::to_string(static_cast<int>(seq)) + ")";
  }
  const Json& path = child(line, "path");
  const std::string kind = text_at(path, "kind");
  const std::string where =
      kind.starts_with("relay-") ? kind + " " + text_at(path, "via") : path_text(path);
  char ms[32];
  std::snprintf(ms, sizeof ms, "%.1f", *rtt * 1000);
  return "pong from " + name + " (" + or_dash(text_at(peer, "address")) + ") via " + where +
         " in " + ms + " ms";
}

}  // namespace ginnel::cli
