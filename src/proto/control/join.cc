#include "proto/control/join.h"

#include "crypto/sign.h"
#include "proto/control/fields.h"
#include "proto/control/signing.h"

namespace ginnel::control {
namespace {

ByteVector message_of(const Join& join, const crypto::NetworkPublic& network,
                      const crypto::SessionPublic& hub) {
  return signed_message("ginnel join v1", {network.bytes(), hub.bytes(), unsigned_bytes(join)});
}

std::size_t size_of(const Joined& joined) {
  std::size_t bytes = kFrameHeaderBytes + 2 + joined.chain.size() + 2 + joined.hub_chain.size() +
                      5 + 1 + joined.network_name.size() + 1;
  for (const HubEntry& hub : joined.hubs) bytes += hub_entry_bytes(hub);
  return bytes;
}

}  // namespace

Result<Join, Drop> parse_join(ConstBytes body) {
  Reader r(body);
  Join join;
  join.secret = read_key<TokenSecret>(r);
  join.identity = read_key<crypto::IdentityPublic>(r);
  join.session = read_key<crypto::SessionPublic>(r);
  const auto role = read_role(r);
  join.name = text_of(read_text8(r));
  auto endpoints = read_endpoint_texts(r, r.u8());
  join.signature = read_key<crypto::Signature>(r);
  if (!role || !is_name(join.name) || !endpoints) return refused(r);
  join.role = *role;
  join.endpoints = *std::move(endpoints);
  return finish(r, std::move(join));
}

void encode_unsigned(const Join& join, Writer& w) {
  w.put(join.secret.bytes()).put(join.identity.bytes()).put(join.session.bytes());
  w.u8(static_cast<std::uint8_t>(join.role));
  write_text8(w, join.name);
  write_endpoint_texts(w, join.endpoints);
}

void encode(const Join& join, Writer& w) {
  encode_unsigned(join, w);
  w.put(join.signature.bytes());
}

void sign_join(Join& join, const crypto::IdentitySecret& identity,
               const crypto::NetworkPublic& network, const crypto::SessionPublic& hub) {
  join.identity = public_of(identity);
  ByteVector message = message_of(join, network, hub);
  join.signature = crypto::sign(identity, message);
  crypto::wipe(message);  // it holds the token's secret
}

bool verify_join(const Join& join, const crypto::NetworkPublic& network,
                 const crypto::SessionPublic& hub) {
  ByteVector message = message_of(join, network, hub);
  const bool ok = crypto::verify(join.identity, message, join.signature);
  crypto::wipe(message);
  return ok;
}

Result<Joined, Drop> parse_joined(ConstBytes body) {
  Reader r(body);
  Joined out;
  out.chain = read_blob16(r);
  out.hub_chain = read_blob16(r);
  const auto range = read_ipv4_range(r);
  out.network_name = text_of(read_text8(r));
  if (!range || !is_name(out.network_name)) return refused(r);
  out.overlay_v4 = *range;
  auto hubs = read_hub_list(r);
  if (!hubs) return Fail(hubs.error());
  out.hubs = *std::move(hubs);
  return finish(r, std::move(out));
}

void encode(const Joined& joined, Writer& w) {
  write_blob16(w, joined.chain);
  write_blob16(w, joined.hub_chain);
  write_ipv4_range(w, joined.overlay_v4);
  write_text8(w, joined.network_name);
  write_hub_list(w, joined.hubs);
}

void limit_hubs(Joined& joined) {
  while (joined.hubs.size() > 1 && size_of(joined) > Joined::kBytesWithHubsMax) {
    joined.hubs.pop_back();
  }
}

}  // namespace ginnel::control
