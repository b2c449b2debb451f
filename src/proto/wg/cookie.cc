#include "proto/wg/cookie.h"

#include "base/assert.h"
#include "base/writer.h"

namespace ginnel::wg {
namespace {

constexpr std::string_view kMac1Label = "mac1----";
constexpr std::string_view kCookieLabel = "cookie--";
constexpr std::size_t kMac = crypto::kMacBytes;
constexpr std::size_t kSourceBytesMax = 16 + 2 + 4;

crypto::Digest mac1_key(const crypto::SessionPublic& receiver) {
  return crypto::blake2s_256({bytes_of(kMac1Label), receiver.bytes()});
}
crypto::SymmetricKey cookie_key(const crypto::SessionPublic& receiver) {
  return crypto::SymmetricKey(crypto::blake2s_256({bytes_of(kCookieLabel), receiver.bytes()}));
}

// A handshake message and its last two fields; mac1 covers all before it, mac2 mac1 as well.
template <class Span>
struct Fields {
  explicit Fields(Span message)
      : before_mac1(message.first(message.size() - 2 * kMac)),
        mac1(message.subspan(message.size() - 2 * kMac, kMac)),
        before_mac2(message.first(message.size() - kMac)),
        mac2(message.last(kMac)) {}
  Span before_mac1, mac1, before_mac2, mac2;
};

}  // namespace

CookieChecker::CookieChecker(const crypto::SessionPublic& local, Nanoseconds lifetime, Rng rng)
    : rng_(std::move(rng)),
      mac1_key_(mac1_key(local)),
      cookie_key_(cookie_key(local)),
      lifetime_(lifetime) {}

bool CookieChecker::mac1_is_right(ConstBytes message) const {
  const Fields fields(message);
  return crypto::equal_constant_time(crypto::mac16(mac1_key_, {fields.before_mac1}), fields.mac1);
}

bool CookieChecker::mac2_is_right(Instant now, const Route& from, ConstBytes message) const {
  if (!secret_since_ || now - *secret_since_ >= lifetime_) return false;
  const Fields fields(message);
  return crypto::equal_constant_time(crypto::mac16(cookie_for(from), {fields.before_mac2}),
                                     fields.mac2);
}

CookieReply CookieChecker::create_reply(Instant now, const Route& from, ConstBytes message,
                                        ReceiverIndex sender) {
  refresh_secret(now);
  CookieReply out;
  out.receiver = sender;
  out.nonce = rng_.array<crypto::kXNonceBytes>();
  crypto::xaead_seal(cookie_key_, out.nonce, Fields(message).mac1, cookie_for(from),
                     out.sealed_cookie);
  return out;
}

// Section 5.4.7: MAC(R, source address). The encoding is ours alone: the IP address, the port, and
// the path where it is not the socket.
Cookie CookieChecker::cookie_for(const Route& from) const {
  std::array<std::byte, kSourceBytesMax> source;
  Writer writer(source);
  writer.put(from.endpoint.address.wire()).u16be(from.endpoint.port);
  if (from.path != kSocket) writer.u32be(from.path.value());
  return crypto::mac16(secret_.bytes(), {writer.written()});
}

void CookieChecker::refresh_secret(Instant now) {
  if (secret_since_ && now - *secret_since_ < lifetime_) return;
  secret_ = crypto::SymmetricKey::generate(rng_);
  secret_since_ = now;
}

CookieJar::CookieJar(const crypto::SessionPublic& remote, Nanoseconds lifetime)
    : mac1_key_(mac1_key(remote)), cookie_key_(cookie_key(remote)), lifetime_(lifetime) {}

void CookieJar::add_macs(Instant now, Bytes message) {
  const Fields fields(message);
  last_mac1_ = crypto::mac16(mac1_key_, {fields.before_mac1});
  std::ranges::copy(*last_mac1_, fields.mac1.begin());
  if (!held_ || now - held_->since >= lifetime_) return;
  std::ranges::copy(crypto::mac16(held_->cookie, {fields.before_mac2}), fields.mac2.begin());
}

Result<Cookie, Drop> CookieJar::consume_reply(Instant now, const CookieReply& reply) {
  Cookie cookie;
  if (!last_mac1_ ||
      !crypto::xaead_open(cookie_key_, reply.nonce, *last_mac1_, reply.sealed_cookie, cookie)) {
    return Fail(Drop::kNotAuthentic);
  }
  held_ = Held{cookie, now};
  return cookie;
}

}  // namespace ginnel::wg
