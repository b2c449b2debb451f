#include "node/forward/checksum.h"

namespace ginnel::forward {
namespace {

constexpr std::size_t kWord = 8;
constexpr std::size_t kStep = 4 * kWord;

std::uint64_t load64(const std::byte* at) {
  std::uint64_t out;
  std::memcpy(&out, at, sizeof out);
  return out;
}

}  // namespace

// 128-bit sums become an addition and an addition with carry for 8 bytes; two of them so that one
// need not wait for the other.
void ChecksumSum::add(ConstBytes bytes) {
  __extension__ using Wide = unsigned __int128;
  Wide even = 0;
  Wide odd = 0;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= kStep; left -= kStep, at += kStep) {
    even += load64(at);
    odd += load64(at + kWord);
    even += load64(at + 2 * kWord);
    odd += load64(at + 3 * kWord);
  }
  for (; left >= kWord; left -= kWord, at += kWord) even += load64(at);
  if (left > 0) {  // the rest, with zeros behind it
    std::uint64_t last = 0;
    std::memcpy(&last, at, left);
    odd += last;
  }
  even += odd;
  add64(static_cast<std::uint64_t>(even >> 64));
  add64(static_cast<std::uint64_t>(even));
}

RawChecksum ChecksumSum::sum() const {
  std::uint64_t out = (sum_ >> 32) + (sum_ & 0xffffffff);
  out = (out >> 32) + (out & 0xffffffff);
  out = (out >> 16) + (out & 0xffff);
  out = (out >> 16) + (out & 0xffff);
  return static_cast<RawChecksum>(out);
}

ChecksumSum pseudo_header(ConstBytes addresses, std::uint8_t protocol, std::size_t length) {
  ChecksumSum out;
  out.add(addresses);
  out.add_word(protocol);
  out.add_word(static_cast<std::uint16_t>(length >> 16));
  out.add_word(static_cast<std::uint16_t>(length));
  return out;
}

}  // namespace ginnel::forward
