#include "proto/wg/handshake.h"

#include "crypto/aead.h"

namespace ginnel::wg {
namespace {

using crypto::Aead;
using crypto::SymmetricKey;

constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";

// Each key of a handshake seals exactly one field, with counter 0.
constexpr std::uint64_t kOnlyCounter = 0;

Result<SymmetricKey, Drop> dh(const crypto::SessionSecret& secret,
                              const crypto::SessionPublic& remote) {
  auto shared = crypto::x25519(secret, remote);
  if (!shared) return Fail(Drop::kWeakKey);
  return std::move(*shared);
}

// (T1, T2) = KDF2(C, ""); the initiator sends with T1.
TransportKeys transport_keys(const NoiseState& noise, bool is_initiator) {
  auto keys = crypto::kdf2(noise.chain(), {});
  if (is_initiator) return {std::move(keys[0]), std::move(keys[1])};
  return {std::move(keys[1]), std::move(keys[0])};
}

}  // namespace

Result<RemoteKeys, Drop> RemoteKeys::make(const LocalKeys& local,
                                          const crypto::SessionPublic& remote,
                                          crypto::PresharedKey preshared) {
  auto shared = dh(local.secret, remote);
  if (!shared) return Fail(shared.error());
  return RemoteKeys{remote, std::move(*shared), std::move(preshared)};
}

NoiseState::NoiseState(const crypto::SessionPublic& responder) {
  const crypto::Digest initial_chain = crypto::blake2s_256({bytes_of(kConstruction)});
  chain_ = SymmetricKey(initial_chain);
  hash_ = crypto::blake2s_256({initial_chain, bytes_of(kIdentifier)});
  mix_hash(responder.bytes());
}

NoiseState NoiseState::clone() const {
  NoiseState out;
  out.chain_ = chain_.clone();
  out.hash_ = hash_;
  return out;
}

void NoiseState::mix_hash(ConstBytes data) { hash_ = crypto::blake2s_256({hash_, data}); }

void NoiseState::mix_key(ConstBytes input) { chain_ = crypto::kdf1(chain_, input); }

SymmetricKey NoiseState::mix_key_and_get(ConstBytes input) {
  auto keys = crypto::kdf2(chain_, input);
  chain_ = std::move(keys[0]);
  return std::move(keys[1]);
}

// (C, t, k) = KDF3(C, Q); H = Hash(H || t).
SymmetricKey NoiseState::mix_preshared(const crypto::PresharedKey& preshared) {
  auto keys = crypto::kdf3(chain_, preshared.bytes());
  chain_ = std::move(keys[0]);
  mix_hash(keys[1].bytes());
  return std::move(keys[2]);
}

void NoiseState::seal(const SymmetricKey& key, ConstBytes plaintext, Bytes out) {
  const std::size_t size = Aead(key).seal(kOnlyCounter, hash_, plaintext, out);
  mix_hash(out.first(size));
}

bool NoiseState::open(const SymmetricKey& key, ConstBytes sealed, Bytes out) {
  if (!Aead(key).open(kOnlyCounter, hash_, sealed, out)) return false;
  mix_hash(sealed);
  return true;
}

Result<InitiatorHandshake, Drop> create_initiation(const LocalKeys& local, const RemoteKeys& remote,
                                                   crypto::SessionSecret ephemeral,
                                                   ReceiverIndex sender, const Timestamp& timestamp,
                                                   Initiation& out) {
  NoiseState noise(remote.public_key);
  out.sender = sender;
  out.ephemeral = crypto::public_of(ephemeral);
  noise.mix_key(out.ephemeral.bytes());
  noise.mix_hash(out.ephemeral.bytes());
  const auto ephemeral_static = dh(ephemeral, remote.public_key);
  if (!ephemeral_static) return Fail(ephemeral_static.error());
  const SymmetricKey static_key = noise.mix_key_and_get(ephemeral_static->bytes());
  noise.seal(static_key, local.public_key.bytes(), out.sealed_static);
  const SymmetricKey timestamp_key = noise.mix_key_and_get(remote.static_static.bytes());
  noise.seal(timestamp_key, ginnel::bytes_of(timestamp.bytes), out.sealed_timestamp);
  return InitiatorHandshake{std::move(noise), std::move(ephemeral)};
}

Result<OpenedInitiation, Drop> open_initiation(const LocalKeys& local, const Initiation& message) {
  NoiseState noise(local.public_key);
  noise.mix_key(message.ephemeral.bytes());
  noise.mix_hash(message.ephemeral.bytes());
  const auto ephemeral_static = dh(local.secret, message.ephemeral);
  if (!ephemeral_static) return Fail(ephemeral_static.error());
  const SymmetricKey static_key = noise.mix_key_and_get(ephemeral_static->bytes());
  crypto::SessionPublic remote;
  if (!noise.open(static_key, message.sealed_static, remote.writable())) {
    return Fail(Drop::kNotAuthentic);
  }
  return OpenedInitiation{std::move(noise), remote, message.ephemeral, message.sender};
}

Result<Timestamp, Drop> open_timestamp(OpenedInitiation& opened, const Initiation& message,
                                       const SymmetricKey& static_static) {
  const SymmetricKey key = opened.noise.mix_key_and_get(static_static.bytes());
  Timestamp out;
  if (!opened.noise.open(key, message.sealed_timestamp,
                         std::as_writable_bytes(std::span(out.bytes)))) {
    return Fail(Drop::kNotAuthentic);
  }
  return out;
}

Result<TransportKeys, Drop> create_response(const OpenedInitiation& opened,
                                            const crypto::PresharedKey& preshared,
                                            const crypto::SessionSecret& ephemeral,
                                            ReceiverIndex sender, Response& out) {
  NoiseState noise = opened.noise.clone();
  out.sender = sender;
  out.receiver = opened.sender;
  out.ephemeral = crypto::public_of(ephemeral);
  noise.mix_key(out.ephemeral.bytes());
  noise.mix_hash(out.ephemeral.bytes());
  for (const auto* remote : {&opened.remote_ephemeral, &opened.remote_static}) {
    const auto shared = dh(ephemeral, *remote);
    if (!shared) return Fail(shared.error());
    noise.mix_key(shared->bytes());
  }
  const SymmetricKey key = noise.mix_preshared(preshared);
  noise.seal(key, {}, out.sealed_empty);
  return transport_keys(noise, false);
}

Result<TransportKeys, Drop> consume_response(const InitiatorHandshake& handshake,
                                             const LocalKeys& local,
                                             const crypto::PresharedKey& preshared,
                                             const Response& message) {
  NoiseState noise = handshake.noise.clone();
  noise.mix_key(message.ephemeral.bytes());
  noise.mix_hash(message.ephemeral.bytes());
  for (const auto* secret : {&handshake.ephemeral, &local.secret}) {
    const auto shared = dh(*secret, message.ephemeral);
    if (!shared) return Fail(shared.error());
    noise.mix_key(shared->bytes());
  }
  const SymmetricKey key = noise.mix_preshared(preshared);
  std::array<std::byte, 1> nothing;
  if (!noise.open(key, message.sealed_empty, nothing)) return Fail(Drop::kNotAuthentic);
  return transport_keys(noise, true);
}

}  // namespace ginnel::wg
