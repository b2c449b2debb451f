// A tar archive of small texts, as every `tar` reads it (POSIX.1-1988 ustar).
//
// Pure. Names are at most 99 bytes, and ours.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ginnel::cli {

struct TarMember {
  std::string name;
  std::string text;
};
// `time`: of every member, seconds since 1970.
std::string tar_of(const std::vector<TarMember>& members, std::int64_t time);

}  // namespace ginnel::cli
