#include "cli/tar.h"

#include <cstdio>
#include <numeric>

namespace ginnel::cli {
namespace {

constexpr std::size_t kBlock = 512;

void put(std::string& header, std::size_t at, std::string_view value) {
  header.replace(at, value.size(), value);
}

std::string octal(std::uint64_t value, int digits) {
  char out[32];
  std::snprintf(out, sizeof out, "%0*llo", digits, static_cast<unsigned long long>(value));
  return out;
}

// The ustar header: fields by their offsets; numbers are octal text that ends with a NUL.
std::string header_of(const TarMember& member, std::int64_t time) {
  std::string out(kBlock, '\0');
  put(out, 0, member.name.substr(0, 99));
  put(out, 100, "0000600");
  put(out, 108, "0000000");
  put(out, 116, "0000000");
  put(out, 124, octal(member.text.size(), 11));
  put(out, 136, octal(static_cast<std::uint64_t>(time), 11));
  put(out, 148, "        ");  // the checksum counts as spaces
  put(out, 156, "0");
  put(out, 257, std::string_view("ustar\00000", 8));
  const unsigned sum = std::accumulate(out.begin(), out.end(), 0U, [](unsigned total, char c) {
    return total + static_cast<unsigned char>(c);
  });
  put(out, 148, octal(sum, 6) + '\0');
  return out;
}

}  // namespace

std::string tar_of(const std::vector<TarMember>& members, std::int64_t time) {
  std::string out;
  for (const TarMember& member : members) {
    out += header_of(member, time) + member.text;
    out.append((kBlock - member.text.size() % kBlock) % kBlock, '\0');
  }
  return out + std::string(2 * kBlock, '\0');  // the end of an archive
}

}  // namespace ginnel::cli
