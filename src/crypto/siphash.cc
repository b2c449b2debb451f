#include "crypto/siphash.h"

#include <bit>

#include "base/reader.h"

namespace ginnel::crypto {
namespace {

constexpr std::size_t kWordBytes = 8;

// The state and its round, named as in the paper, section 2.
struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    for (int i = 0; i < 2; ++i) round();
    v0 ^= word;
  }
  std::uint64_t finish() {
    v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

std::uint64_t siphash(const SipKey& key, ConstBytes message) {
  Reader keys(bytes_of(key));
  const std::uint64_t k0 = keys.u64le();
  const std::uint64_t k1 = keys.u64le();
  State state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
              k1 ^ 0x7465646279746573};
  Reader words(message);
  while (words.remaining() >= kWordBytes) state.absorb(words.u64le());
  // The last word: the bytes left over, and the length mod 256 on top.
  std::uint64_t last = static_cast<std::uint64_t>(message.size()) << 56;
  for (unsigned shift = 0; words.remaining() > 0; shift += 8) {
    last |= std::uint64_t{words.u8()} << shift;
  }
  state.absorb(last);
  return state.finish();
}

}  // namespace ginnel::crypto
