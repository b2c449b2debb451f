#include "cli/render_host.h"

#include <cmath>
#include <cstdio>

#include "cli/human.h"
#include "cli/table.h"

namespace ginnel::cli {
namespace {

constexpr std::size_t kLabelColumn = 10;

std::string severity_cell(const std::string& severity, const Style& style) {
  std::string out = severity;
  out.resize(kLabelColumn, ' ');
  if (!style.colour) return out;
  const char* code = severity == "ok" ? "32" : severity == "warning" ? "33" : "31";
  return std::string("\x1b[") + code + "m" + out + "\x1b[0m";
}

std::string labelled(std::string label, const std::string& text) {
  label.resize(kLabelColumn, ' ');
  return label + text + "\n";
}

std::string offset_text(const Json& row) {
  const auto offset = number_at(row, "clock_offset");
  if (!offset) return "-";
  return (*offset < 0 ? "-" : "+") + milliseconds_text(std::abs(*offset));
}

std::string clock_text(const Json& document) {
  const auto offset = number_at(document, "clock_offset");
  if (!offset) return "compared with nobody's";
  return "the hub's is " + milliseconds_text(std::abs(*offset)) +
         (*offset < 0 ? " behind" : " ahead");
}

std::string family_text(const Json& family) {
  const std::string address = text_at(family, "address");
  const std::string mapped = text_at(family, "mapped");
  std::string out = address.empty() ? "no address" : address;
  if (!mapped.empty()) out += ", seen as " + mapped;
  const Json& udp = child(family, "udp");
  if (udp.is_boolean() && !udp.get<bool>()) out += ", no hub answers";
  return out;
}

std::string nat_line(const Json& nat) {
  const std::string mapping = text_at(nat, "mapping");
  const std::string filtering = text_at(nat, "filtering");
  return nat_text(mapping, filtering) + " (mapping " + mapping + ", filtering " + filtering +
         "; of the " + (text_at(nat, "of") == "daemon" ? "daemon's socket" : "socket of this run") +
         ")";
}

std::string udp_text(const Json& document) {
  const Json& udp = child(document, "udp");
  if (!udp.is_boolean()) return "no hub is known yet";
  return udp.get<bool>() ? "ok" : "blocked, or no hub is up";
}

std::string mtu_cell(const Json& row) {
  const auto mtu = number_at(row, "mtu");
  if (!mtu) return "-";
  return std::to_string(static_cast<int>(*mtu)) + (flag_at(row, "black_hole") ? "!" : "");
}

std::string dash_or(const std::string& text) { return text.empty() ? "-" : text; }

}  // namespace

std::string render_checks(const Json& document, const Style& style) {
  std::string out;
  for (const Json& line : child(document, "mended")) {
    if (line.is_string()) out += line.get<std::string>() + "\n";
  }
  for (const Json& check : child(document, "checks")) {
    const std::string severity = text_at(check, "severity");
    out += severity_cell(severity, style) + text_at(check, "text");
    if (severity != "ok") out += " [" + text_at(check, "code") + "]";
    out += "\n";
    const std::string fix = text_at(check, "fix");
    if (!fix.empty()) out += std::string(kLabelColumn, ' ') + "-> " + fix + "\n";
  }
  return out;
}

std::string render_netcheck(const Json& document, const Style&) {
  const auto mtu = number_at(document, "mtu");
  std::string out = labelled("UDP", udp_text(document));
  out += labelled("NAT", nat_line(child(document, "nat")));
  out += labelled("IPv4", family_text(child(document, "ipv4")));
  out += labelled("IPv6", family_text(child(document, "ipv6")));
  out += labelled("MTU", mtu ? std::to_string(static_cast<int>(*mtu)) + " bytes to the hubs" : "-");
  out += labelled("clock", clock_text(document));
  if (child(document, "hubs").empty()) return out;
  Table table({"HUB", "ENDPOINT", "STATE", "RTT", "MTU", "CLOCK"});
  for (const Json& hub : child(document, "hubs")) {
    const auto rtt = number_at(hub, "rtt");
    table.add({text_at(hub, "name"), dash_or(text_at(hub, "endpoint")), text_at(hub, "state"),
               rtt ? milliseconds_text(*rtt) : "-", mtu_cell(hub), offset_text(hub)});
  }
  return out + "\n" + table.text();
}

}  // namespace ginnel::cli
