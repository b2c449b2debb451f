#include "proto/stun/fingerprint.h"

namespace ginnel::stun {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xedb88320 ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr auto kTable = make_table();  // ITU V.42, reflected

}  // namespace

std::uint32_t fingerprint_of(ConstBytes message) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte b : message) {
    crc = kTable[(crc ^ std::to_integer<std::uint32_t>(b)) & 0xff] ^ (crc >> 8);
  }
  return ~crc ^ 0x5354554e;
}

}  // namespace ginnel::stun
