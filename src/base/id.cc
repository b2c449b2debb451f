#include <ginnel/id.h>

namespace ginnel {
namespace {

constexpr bool is_dash_position(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<Id> Id::parse(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  if (text[0] != 'S' && text[0] != 'C') return std::nullopt;
  Uuid uuid{};
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < 36; ++i) {
    const char c = text[i + 1];
    if (is_dash_position(i)) {
      if (c != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(c);
    if (value < 0) return std::nullopt;
    uuid[nibble / 2] = static_cast<std::uint8_t>(uuid[nibble / 2] << 4 | value);
    ++nibble;
  }
  return Id(static_cast<Role>(text[0]), uuid);
}

std::string Id::text() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(1, static_cast<char>(role_));
  out.reserve(kTextSize);
  for (std::size_t i = 0; i < uuid_.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kDigits[uuid_[i] >> 4];
    out += kDigits[uuid_[i] & 15];
  }
  return out;
}

}  // namespace ginnel
