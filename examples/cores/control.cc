// Who is who in a network. Its key signs a certificate for Alice; from that alone anybody who knows
// the network can tell her Id and her addresses. And an invitation, as text to be pasted.
#include "crypto/dh.h"
#include "crypto/sign.h"
#include "proto/control/chain.h"
#include "proto/control/identity.h"
#include "proto/control/signing.h"
#include "proto/control/token.h"

#include <cstdio>

using namespace ginnel;
using namespace ginnel::control;

int main() {
  Rng rng = Rng::from_seed(1);                   // in earnest: keyed with 32 bytes of the kernel
  constexpr std::uint64_t kNow = 1'800'000'000;  // seconds since 1970: 2027-01-15
  const Wall wall{static_cast<std::int64_t>(kNow) * 1'000'000'000};
  const auto network_key = crypto::NetworkSecret::generate(rng);
  const auto network = public_of(network_key);
  const auto identity = crypto::IdentitySecret::generate(rng);  // this is Alice
  const auto session = crypto::SessionSecret::generate(rng);    // her WireGuard key

  const Id id = derive_id(network, Role::kPeer, public_of(identity));
  Certificate certificate;
  certificate.role = Role::kPeer;
  certificate.identity = public_of(identity);
  certificate.session = public_of(session);
  certificate.serial = 1;
  certificate.not_before_seconds = kNow;
  certificate.lifetime_seconds = 90 * 86400;
  certificate.name = "alice";
  certificate.ipv4 = overlay_ipv4_candidate(id, *Prefix::parse("10.66.0.0/16"), 0);
  sign_certificate(certificate, network_key);
  const ByteVector bytes = to_bytes(Chain{.leaf = certificate, .issuer = {}});

  // At the other end of a session, which trusts the network's key and no one else.
  const auto chain = parse_chain(bytes);
  if (!chain) return 1;
  const auto verified = verify_chain(*chain, network, wall);
  if (!verified) return 1;
  std::printf("%zu bytes say: %s is %s\n", bytes.size(), chain->leaf.name.c_str(),
              verified->id.text().c_str());
  std::printf("its addresses: %s and %s\n", chain->leaf.ipv4->text().c_str(),
              verified->overlay_ipv6.text().c_str());
  const auto stranger = public_of(crypto::NetworkSecret::generate(rng));
  const bool is_strict = verify_chain(*chain, stranger, wall).has_value() == false &&
                         !verify_chain(*chain, network, wall + 91 * 24h);

  Token token{.network = network,
              .secret = TokenSecret::generate(rng),
              .expiry_seconds = kNow + 3600,
              .hubs = {{.session = public_of(session), .endpoints = {"hub.example.org:7700"}}}};
  const std::string text = token_text(token);
  std::printf("an invitation: %s\n", text.c_str());
  const auto read = parse_token(text);
  const bool cut = parse_token(text.substr(0, text.size() - 1)).has_value();
  return verified->id == id && is_strict && read && *read == token && !cut ? 0 : 1;
}
