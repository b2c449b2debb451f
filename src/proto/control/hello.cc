#include "proto/control/hello.h"

#include <algorithm>

#include "proto/control/fields.h"

namespace ginnel::control {
namespace {

constexpr std::uint16_t kHoldsYours = 1;
constexpr std::uint16_t kByHash = 2;
constexpr std::uint16_t kNoCertificate = 4;
constexpr std::uint16_t kFlagsMask = kHoldsYours | kByHash | kNoCertificate;

std::uint16_t flags_of(const Hello& hello) {
  return static_cast<std::uint16_t>((hello.holds_your_certificate ? kHoldsYours : 0) |
                                    (hello.leaf_hash ? kByHash : 0) |
                                    (hello.has_certificate() ? 0 : kNoCertificate));
}

// The flags say what the chain field holds, and nothing else may stand there.
bool set_chain(Hello& hello, std::uint16_t flags, ConstBytes chain) {
  const bool by_hash = (flags & kByHash) != 0;
  const bool none = (flags & kNoCertificate) != 0;
  if (none) return !by_hash && chain.empty();
  if (!by_hash) {
    hello.chain = chain;
    return !chain.empty();
  }
  if (chain.size() != crypto::kDigestBytes) return false;
  std::ranges::copy(chain, hello.leaf_hash.emplace().begin());
  return true;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

Result<Hello, Drop> parse_hello(ConstBytes body) {
  Reader r(body);
  Hello hello;
  hello.version_min = r.u8();
  hello.version_max = r.u8();
  const std::uint16_t flags = r.u16le();
  hello.features = r.u64le();
  hello.epoch = r.u64le();
  const ConstBytes chain = read_blob16(r);
  if (!r.ok()) return Fail(Drop::kTooShort);
  if ((flags & ~kFlagsMask) != 0 || hello.version_min > hello.version_max) {
    return Fail(Drop::kBadField);
  }
  if (!set_chain(hello, flags, chain)) return Fail(Drop::kBadField);
  hello.holds_your_certificate = (flags & kHoldsYours) != 0;
  return hello;  // what follows is a later version's
}

void encode(const Hello& hello, Writer& w) {
  w.u8(hello.version_min).u8(hello.version_max).u16le(flags_of(hello));
  w.u64le(hello.features).u64le(hello.epoch);
  write_blob16(w, hello.leaf_hash ? ConstBytes(*hello.leaf_hash) : hello.chain);
}

std::optional<Negotiated> negotiate(const Hello& mine, const Hello& theirs) {
  const std::uint8_t version = std::min(mine.version_max, theirs.version_max);
  if (version < mine.version_min || version < theirs.version_min) return std::nullopt;
  return Negotiated{version, mine.features & theirs.features};
}

Result<Refused, Drop> parse_refused(ConstBytes body) {
  Reader r(body);
  Refused out;
  out.of = static_cast<FrameType>(r.u8());
  out.code = static_cast<RefusedCode>(r.u16le());
  out.text = text_of(read_text8(r));
  if (!is_printable(out.text)) return refused(r);
  return finish(r, out);
}

void encode(const Refused& message, Writer& w) {
  w.u8(static_cast<std::uint8_t>(message.of)).u16le(static_cast<std::uint16_t>(message.code));
  write_text8(w, message.text);
}

Result<Goodbye, Drop> parse_goodbye(ConstBytes body) {
  Reader r(body);
  const std::uint8_t reason = r.u8();
  if (reason > static_cast<std::uint8_t>(Goodbye::Reason::kRestarts)) return refused(r);
  const Goodbye out{static_cast<Goodbye::Reason>(reason), r.u32le()};
  return finish(r, out);
}

void encode(const Goodbye& goodbye, Writer& w) {
  w.u8(static_cast<std::uint8_t>(goodbye.reason)).u32le(goodbye.return_ms);
}

}  // namespace ginnel::control
