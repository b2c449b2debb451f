#include "cli/human.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace ginnel::cli {
namespace {

std::string formatted(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

// Two digits: one behind the point below ten.
std::string short_number(double value) { return formatted(value, value < 9.95 ? 1 : 0); }

}  // namespace

std::string milliseconds_text(double seconds) {
  const double ms = seconds * 1000;
  return ms < 999.5 ? short_number(ms) + "ms" : short_number(seconds) + "s";
}

std::string rate_text(double bits_per_second) {
  constexpr std::array<std::string_view, 5> kUnits = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  while (bits_per_second >= 999.5 && unit + 1 < kUnits.size()) {
    bits_per_second /= 1000;
    ++unit;
  }
  if (unit == 0) return formatted(bits_per_second, 0);
  return short_number(bits_per_second) + std::string(kUnits[unit]);
}

std::string percent_text(double part) { return formatted(part * 100, 1) + "%"; }

std::string age_text(double seconds) {
  // Status follows the truth within 5 s: what is younger is now.
  if (seconds < 5) return "now";
  const auto s = static_cast<std::int64_t>(seconds);
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return std::to_string(s / 60) + "m";
  if (s < 86'400) {
    const auto minutes = s % 3600 / 60;
    return std::to_string(s / 3600) + "h" + (minutes == 0 ? "" : std::to_string(minutes) + "m");
  }
  const auto hours = s % 86'400 / 3600;
  return std::to_string(s / 86'400) + "d" + (hours == 0 ? "" : std::to_string(hours) + "h");
}

std::optional<double> parse_rfc3339(std::string_view text) {
  const std::string copy(text);
  std::tm tm{};
  double second = 0;
  char zone[8] = "";
  const int read = std::sscanf(copy.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%lf%7s", &tm.tm_year,
                               &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &second, zone);
  if (read < 6) return std::nullopt;
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  double offset = 0;
  int hours = 0;
  int minutes = 0;
  if (std::sscanf(zone + 1, "%2d:%2d", &hours, &minutes) == 2)
    offset = (hours * 3600 + minutes * 60) * (zone[0] == '-' ? -1 : 1);
  return static_cast<double>(timegm(&tm)) + second - offset;
}

std::string reason_text(std::string_view code) {
  if (code.starts_with("R_")) code.remove_prefix(2);
  std::string out;
  std::string word;
  const auto add = [&] {
    constexpr std::array<std::string_view, 6> kUpper = {"NAT", "UDP", "TCP", "MTU", "CGNAT", "TTL"};
    if (std::ranges::find(kUpper, word) == kUpper.end()) {
      std::ranges::transform(word, word.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
    }
    out += (out.empty() ? "" : " ") + word;
    word.clear();
  };
  for (const char c : code) {
    if (c == '_') {
      add();
    } else {
      word += c;
    }
  }
  add();
  return out;
}

std::string nat_text(std::string_view mapping, std::string_view filtering) {
  if (mapping == "none") return filtering == "adf" || filtering == "apdf" ? "firewall" : "none";
  if (mapping == "adm" || mapping == "apdm") return "symmetric";
  if (mapping != "eim") return "unknown";
  if (filtering == "eif") return "full-cone";
  if (filtering == "adf") return "restricted";
  if (filtering == "apdf") return "port-restricted";
  return "endpoint-independent";
}

}  // namespace ginnel::cli
