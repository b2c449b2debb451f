// LZW as Go's compress/lzw writes it with LSB order and 8-bit literals: the GIF flavour, not TIFF's.
//
// Codes: 0..255 literals, 256 clear, 257 end, from 258 strings. Width 9 to 12 bits, least
// significant bit first.
#pragma once
#include <ginnel/result.h>

#include "base/bytes.h"
#include "proto/swim/drop.h"

namespace ginnel::swim {

// Byte for byte what Go's encoder makes.
ByteVector lzw_compress(ConstBytes plain);

// Reads up to the end code; what follows is ignored.
// Errors: kBadCompression (no such code, or the input ends before the end code), kTooLarge (more
// than `plain_bytes_max`).
Result<ByteVector, Drop> lzw_decompress(ConstBytes compressed, std::size_t plain_bytes_max);

}  // namespace ginnel::swim
