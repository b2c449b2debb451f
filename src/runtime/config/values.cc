#include "runtime/config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace ginnel::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
// Largest first: duration_text takes the first that fits. "ms" stands before "m" and "s" because
// the reader takes the first name that matches.
constexpr std::array kUnits = {
    Unit{"d", 86'400'000'000'000},
    Unit{"h", 3'600'000'000'000},
    Unit{"ms", 1'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"us", 1'000},
    Unit{"ns", 1},
};
constexpr double kDurationMaxNs = 100.0 * 366 * 86'400e9;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes an unsigned decimal number, "12" or "1.5", off the front.
std::optional<double> take_number(std::string_view& text) {
  const auto size = static_cast<std::size_t>(
      std::ranges::find_if(text, [](char c) { return !is_digit(c) && c != '.'; }) - text.begin());
  const std::string_view digits = text.substr(0, size);
  if (digits.empty() || !is_digit(digits.front()) || !is_digit(digits.back())) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + size, value);
  if (error != std::errc{} || end != digits.data() + size) return std::nullopt;
  text.remove_prefix(size);
  return value;
}

const Unit* take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::optional<Nanoseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const Unit* unit = number ? take_unit(text) : nullptr;
    if (unit == nullptr) return std::nullopt;
    total += *number * static_cast<double>(unit->ns);
    if (total > kDurationMaxNs) return std::nullopt;
  }
  return Nanoseconds{std::llround(total)};
}

std::optional<Nanoseconds> parse_seconds(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number || !rest.empty()) return parse_duration(text);
  if (*number * 1e9 > kDurationMaxNs) return std::nullopt;
  return Nanoseconds{std::llround(*number * 1e9)};
}

std::string duration_text(Nanoseconds duration) {
  std::int64_t rest = duration.count();
  if (rest <= 0) return "0s";
  constexpr std::array kOrder = {0, 1, 3, 4, 2, 5, 6};  // d h m s ms us ns
  std::string out;
  for (const int index : kOrder) {
    const Unit& unit = kUnits[static_cast<std::size_t>(index)];
    if (rest < unit.ns) continue;
    out += std::to_string(rest / unit.ns) + std::string(unit.name);
    rest %= unit.ns;
  }
  return out;
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  char before = '.';
  for (const char c : text) {
    if (c == '.' && before == '.') return false;
    if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_' && c != '.') return false;
    before = c;
  }
  return true;
}

bool is_node_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(
             text, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

std::string node_name_from_host(std::string_view host) {
  std::string out;
  for (const char c : host.substr(0, std::min(host.find('.'), std::size_t{63}))) {
    const bool upper = c >= 'A' && c <= 'Z';
    const char lower = upper ? static_cast<char>(c - 'A' + 'a') : c;
    out += is_letter(lower) || is_digit(lower) ? lower : '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  out.erase(0, std::min(out.find_first_not_of('-'), out.size()));
  return out.empty() ? "node" : out;
}

std::optional<HubName> parse_hub_name(std::string_view text) {
  HubName hub;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    hub.key = crypto::SessionPublic::from_base64(text.substr(0, at));
    if (!hub.key) return std::nullopt;
    text.remove_prefix(at + 1);
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool valid = bracketed ? Address::parse(host).has_value() : is_host_name(host);
  if (!port || !valid) return std::nullopt;
  hub.host = host;
  hub.port = *port;
  return hub;
}

std::string hub_name_text(const HubName& hub) {
  const std::string key = hub.key ? hub.key->base64() + "@" : "";
  const bool v6 = hub.host.find(':') != std::string::npos;
  return key + (v6 ? "[" + hub.host + "]" : hub.host) + ":" + std::to_string(hub.port);
}

std::optional<Endpoint> parse_listen(std::string_view text) {
  constexpr std::string_view kScheme = "udp://";
  if (!text.starts_with(kScheme)) return std::nullopt;
  return Endpoint::parse(text.substr(kScheme.size()));
}

}  // namespace ginnel::config
