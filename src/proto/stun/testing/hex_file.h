// For tests: the bytes of testdata/NAME, hexadecimal text with `#` comment lines.
#pragma once
#include <fstream>
#include <sstream>

#include "base/bytes.h"

namespace ginnel::stun::testing {

inline ByteVector hex_file(const std::string& name) {
  std::ifstream in(std::string(GINNEL_TESTDATA "/") + name);
  std::string digits;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::erase(line, ' ');
    digits += line;
  }
  return from_hex(digits).value();
}

}  // namespace ginnel::stun::testing
