#include "base/base64.h"

namespace ginnel {
namespace {

constexpr std::string_view kStandardAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafeAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kGroupBytes = 3;
constexpr std::size_t kGroupCharacters = 4;
constexpr unsigned kCharacterBits = 6;

std::string_view alphabet_of(Base64 alphabet) {
  return alphabet == Base64::kStandard ? kStandardAlphabet : kUrlSafeAlphabet;
}

// The text without its padding; nullopt when the padding is not what the alphabet asks for.
std::optional<std::string_view> without_padding(std::string_view text, Base64 alphabet) {
  if (alphabet == Base64::kUrlSafe) return text;
  if (text.size() % kGroupCharacters != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string to_base64(ConstBytes bytes, Base64 alphabet) {
  const std::string_view letters = alphabet_of(alphabet);
  std::string out;
  out.reserve((bytes.size() + kGroupBytes - 1) / kGroupBytes * kGroupCharacters);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::byte b : bytes) {
    bits = bits << 8 | std::to_integer<std::uint32_t>(b);
    for (held += 8; held >= kCharacterBits; held -= kCharacterBits) {
      out += letters[bits >> (held - kCharacterBits) & 0x3f];
    }
  }
  if (held > 0) out += letters[bits << (kCharacterBits - held) & 0x3f];
  while (alphabet == Base64::kStandard && out.size() % kGroupCharacters != 0) out += '=';
  return out;
}

std::optional<ByteVector> from_base64(std::string_view text, Base64 alphabet) {
  const auto characters = without_padding(text, alphabet);
  if (!characters || characters->size() % kGroupCharacters == 1) return std::nullopt;
  ByteVector out;
  out.reserve(characters->size() * kGroupBytes / kGroupCharacters);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : *characters) {
    const std::size_t value = alphabet_of(alphabet).find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << kCharacterBits | static_cast<std::uint32_t>(value);
    held += kCharacterBits;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<std::byte>(bits >> held));
  }
  const std::uint32_t left_over = bits & ((1u << held) - 1);
  if (left_over != 0) return std::nullopt;
  return out;
}

}  // namespace ginnel
