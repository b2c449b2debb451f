#include "proto/wg/padding.h"

#include "base/reader.h"

namespace ginnel::wg {
namespace {

constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::size_t kIpv4LengthOffset = 2;
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::size_t kIpv6LengthOffset = 4;

std::size_t u16be_at(ConstBytes bytes, std::size_t offset) {
  return Reader(bytes.subspan(offset)).u16be();
}

}  // namespace

Result<Bytes, Drop> without_padding(Bytes plaintext) {
  const unsigned version = plaintext.empty() ? 0 : std::to_integer<unsigned>(plaintext[0]) >> 4;
  if (version != 4 && version != 6) return Fail(Drop::kUnknownType);
  const std::size_t header = version == 4 ? kIpv4HeaderBytes : kIpv6HeaderBytes;
  if (plaintext.size() < header) return Fail(Drop::kWrongSize);
  const std::size_t size = version == 4 ? u16be_at(plaintext, kIpv4LengthOffset)
                                        : u16be_at(plaintext, kIpv6LengthOffset) + kIpv6HeaderBytes;
  if (size < header || size > plaintext.size()) return Fail(Drop::kWrongSize);
  return plaintext.first(size);
}

}  // namespace ginnel::wg
