// Reads testdata/NAME.hex: lines `name = hex`, and comments that begin with #.
#pragma once
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "crypto/keys.h"

namespace ginnel::wg::testing {

class Vectors {
 public:
  explicit Vectors(const std::string& name) {
    std::ifstream file(std::string(GINNEL_TESTDATA) + "/" + name);
    for (std::string line; std::getline(file, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::istringstream words(line);
      std::string key, equals, hex;
      words >> key >> equals >> hex;
      values_[key] = *from_hex(hex);
    }
  }
  const ByteVector& operator[](const std::string& name) const { return values_.at(name); }
  std::string hex(const std::string& name) const { return to_hex(values_.at(name)); }
  template <class Key>
  Key key(const std::string& name) const {
    return *Key::from(values_.at(name));
  }

 private:
  std::map<std::string, ByteVector> values_;
};

}  // namespace ginnel::wg::testing
