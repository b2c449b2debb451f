// The two MACs of handshake messages and the cookies against floods (the WireGuard paper, sections
// 5.3, 5.4.4 and 5.4.7).
//
// CookieChecker is the receiving side of one device: it verifies mac1 (the sender knows our public
// key) and, under load, mac2 (the sender owns the address it sends from). CookieJar is the sending
// side toward one peer: it writes both MACs and keeps the cookie the peer gave.
#pragma once
#include <optional>

#include "base/core.h"
#include "base/rng.h"
#include "crypto/hash.h"
#include "proto/wg/wire.h"

namespace ginnel::wg {

// Where a datagram came from, or goes to.
struct Route {
  PathId path = kSocket;
  Endpoint endpoint;
  friend auto operator<=>(const Route&, const Route&) = default;
};

class CookieChecker {
 public:
  CookieChecker(const crypto::SessionPublic& local, Nanoseconds lifetime, Rng rng);

  // `message`: the whole handshake message, of the right size.
  bool mac1_is_right(ConstBytes message) const;
  // Only with a cookie that this checker gave to this source less than `lifetime` ago.
  bool mac2_is_right(Instant now, const Route& from, ConstBytes message) const;
  // Answers `message`, whose mac1 is right. `sender`: its sender index.
  CookieReply create_reply(Instant now, const Route& from, ConstBytes message,
                           ReceiverIndex sender);

 private:
  Cookie cookie_for(const Route& from) const;
  void refresh_secret(Instant now);

  Rng rng_;
  crypto::Digest mac1_key_;
  crypto::SymmetricKey cookie_key_;
  Nanoseconds lifetime_;
  crypto::SymmetricKey secret_;          // R: renewed after `lifetime_`
  std::optional<Instant> secret_since_;  // none: no cookie was ever given
};

class CookieJar {
 public:
  CookieJar(const crypto::SessionPublic& remote, Nanoseconds lifetime);

  // Writes mac1, and mac2 when there is a fresh cookie; remembers mac1.
  void add_macs(Instant now, Bytes message);
  // Takes the cookie for later messages; nothing is sent again because of it.
  // Error: kNotAuthentic (also: nothing was sent that it could answer).
  Result<Cookie, Drop> consume_reply(Instant now, const CookieReply& reply);

 private:
  struct Held {
    Cookie cookie;
    Instant since;
  };

  crypto::Digest mac1_key_;
  crypto::SymmetricKey cookie_key_;
  Nanoseconds lifetime_;
  std::optional<crypto::Mac> last_mac1_;
  std::optional<Held> held_;
};

}  // namespace ginnel::wg
