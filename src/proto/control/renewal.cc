#include "proto/control/renewal.h"

#include "crypto/sign.h"
#include "proto/control/fields.h"
#include "proto/control/signing.h"

namespace ginnel::control {
namespace {

ByteVector message_of(const Renew& renew, const crypto::NetworkPublic& network,
                      const crypto::SessionPublic& hub) {
  return signed_message("ginnel renew v1", {network.bytes(), hub.bytes(), unsigned_bytes(renew)});
}

}  // namespace

Result<Renew, Drop> parse_renew(ConstBytes body) {
  Reader r(body);
  Renew out;
  out.session = read_key<crypto::SessionPublic>(r);
  out.serial = r.u64le();
  out.signature = read_key<crypto::Signature>(r);
  return finish(r, out);
}

void encode_unsigned(const Renew& renew, Writer& w) {
  w.put(renew.session.bytes()).u64le(renew.serial);
}

void encode(const Renew& renew, Writer& w) {
  encode_unsigned(renew, w);
  w.put(renew.signature.bytes());
}

void sign_renew(Renew& renew, const crypto::IdentitySecret& identity,
                const crypto::NetworkPublic& network, const crypto::SessionPublic& hub) {
  renew.signature = crypto::sign(identity, message_of(renew, network, hub));
}

bool verify_renew(const Renew& renew, const crypto::IdentityPublic& identity,
                  const crypto::NetworkPublic& network, const crypto::SessionPublic& hub) {
  return crypto::verify(identity, message_of(renew, network, hub), renew.signature);
}

Result<Renewed, Drop> parse_renewed(ConstBytes body) {
  auto chain = parse_chain(body);
  if (!chain) return Fail(chain.error());
  return Renewed{*std::move(chain)};
}

void encode(const Renewed& renewed, Writer& w) { encode(renewed.chain, w); }

Result<NotRenewed, Drop> parse_not_renewed(ConstBytes body) {
  Reader r(body);
  const NotRenewed out{static_cast<RefusedCode>(r.u16le())};
  return finish(r, out);
}

void encode(const NotRenewed& message, Writer& w) {
  w.u16le(static_cast<std::uint16_t>(message.code));
}

}  // namespace ginnel::control
