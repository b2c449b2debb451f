// Test vectors of a module: testdata/vectors.txt, which the wire document quotes word for word.
//
//   name
//     hexadecimal, in lines
//
// For tests only.
#pragma once
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "base/bytes.h"

namespace ginnel::testing {

inline std::string read_text_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Name to hexadecimal text, without white space.
inline std::map<std::string, std::string> read_vectors(const std::string& path) {
  std::map<std::string, std::string> out;
  std::istringstream in(read_text_file(path));
  std::string name;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("  ")) {
      out[name] += line.substr(2);
    } else if (!line.empty()) {
      name = line;
    }
  }
  return out;
}

// As it stands in the file, to copy from a failing test.
inline std::string vector_text(const std::string& name, ConstBytes bytes) {
  constexpr std::size_t kDigitsPerLine = 96;
  const std::string hex = to_hex(bytes);
  std::string out = name + "\n";
  for (std::size_t i = 0; i < hex.size(); i += kDigitsPerLine) {
    out += "  " + hex.substr(i, kDigitsPerLine) + "\n";
  }
  return out;
}

}  // namespace ginnel::testing
