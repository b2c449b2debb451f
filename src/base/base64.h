// Base64 text (RFC 4648): the standard alphabet with padding (section 4), as WireGuard writes its
// keys, and the URL-safe one without (section 5), as tokens use it.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ginnel {

enum class Base64 { kStandard, kUrlSafe };

std::string to_base64(ConstBytes bytes, Base64 alphabet = Base64::kStandard);

// Strict: one text per value. nullopt: a character outside the alphabet, missing or wrong padding
// (kStandard), any padding (kUrlSafe), or bits set past the last byte (RFC 4648 section 3.5).
std::optional<ByteVector> from_base64(std::string_view text, Base64 alphabet = Base64::kStandard);

}  // namespace ginnel
