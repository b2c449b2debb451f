// For tests: the vectors of testdata/memberlist.hex by name.
#pragma once
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "base/bytes.h"

namespace ginnel::swim::testing {

class Vectors {
 public:
  Vectors() {
    std::ifstream in(GINNEL_TESTDATA "/memberlist.hex");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with('#')) continue;
      std::istringstream words(line);
      std::string name, hex;
      words >> name >> hex;
      by_name_[name] = from_hex(hex).value();
    }
  }
  ConstBytes operator[](const std::string& name) const { return by_name_.at(name); }
  const std::map<std::string, ByteVector>& all() const { return by_name_; }

 private:
  std::map<std::string, ByteVector> by_name_;
};

}  // namespace ginnel::swim::testing
