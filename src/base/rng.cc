#include "base/rng.h"

#include <bit>

#include "base/assert.h"
#include "base/reader.h"
#include "base/writer.h"

namespace ginnel {
namespace {

void quarter_round(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d) {
  a += b, d = std::rotl(d ^ a, 16);
  c += d, b = std::rotl(b ^ c, 12);
  a += b, d = std::rotl(d ^ a, 8);
  c += d, b = std::rotl(b ^ c, 7);
}

// RFC 8439 section 2.3, with the original 64-bit counter and 64-bit nonce.
std::array<std::uint8_t, 64> chacha20_block(const Rng::Key& key, std::uint64_t counter,
                                            std::uint64_t nonce) {
  std::array<std::uint32_t, 16> state{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  Reader words(bytes_of(key));
  for (std::size_t i = 4; i < 12; ++i) state[i] = words.u32le();
  state[12] = static_cast<std::uint32_t>(counter);
  state[13] = static_cast<std::uint32_t>(counter >> 32);
  state[14] = static_cast<std::uint32_t>(nonce);
  state[15] = static_cast<std::uint32_t>(nonce >> 32);
  std::array<std::uint32_t, 16> x = state;
  for (int round = 0; round < 10; ++round) {
    quarter_round(x[0], x[4], x[8], x[12]);
    quarter_round(x[1], x[5], x[9], x[13]);
    quarter_round(x[2], x[6], x[10], x[14]);
    quarter_round(x[3], x[7], x[11], x[15]);
    quarter_round(x[0], x[5], x[10], x[15]);
    quarter_round(x[1], x[6], x[11], x[12]);
    quarter_round(x[2], x[7], x[8], x[13]);
    quarter_round(x[3], x[4], x[9], x[14]);
  }
  std::array<std::uint8_t, 64> out{};
  Writer w(std::as_writable_bytes(std::span(out)));
  for (std::size_t i = 0; i < 16; ++i) w.u32le(x[i] + state[i]);
  return out;
}

// FNV-1a: labels are ours, so all that matters is that two of them differ.
std::uint64_t label_number(std::string_view label) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : label) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

Rng Rng::from_seed(std::uint64_t seed) {
  Key key{};
  Writer(std::as_writable_bytes(std::span(key))).u64le(seed);
  return Rng(key);
}

void Rng::refill() {
  block_ = chacha20_block(key_, counter_++, 0);
  used_ = 0;
}

void Rng::fill(Bytes out) {
  for (std::byte& b : out) {
    if (used_ == block_.size()) refill();
    b = static_cast<std::byte>(block_[used_++]);
  }
}

std::uint64_t Rng::u64() {
  const auto bytes = array<8>();
  return Reader(bytes_of(bytes)).u64le();
}

std::uint64_t Rng::below(std::uint64_t bound) {
  GINNEL_ASSERT(bound > 0);
  // Rejecting the values below 2^64 mod bound leaves a multiple of `bound`: no modulo bias.
  const std::uint64_t reject = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = u64();
    if (value >= reject) return value % bound;
  }
}

double Rng::uniform() { return static_cast<double>(u64() >> 11) * 0x1.0p-53; }

Nanoseconds Rng::between(Nanoseconds low, Nanoseconds high) {
  GINNEL_ASSERT(low <= high);
  const auto span = static_cast<std::uint64_t>((high - low).count());
  return low + Nanoseconds{static_cast<std::int64_t>(below(span + 1))};
}

Rng Rng::fork(std::string_view label) {
  const Key seed = array<32>();
  const auto block = chacha20_block(seed, 0, label_number(label));
  Key key{};
  std::copy_n(block.begin(), key.size(), key.begin());
  return Rng(key);
}

}  // namespace ginnel
