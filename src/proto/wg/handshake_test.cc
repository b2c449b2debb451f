#include "proto/wg/handshake.h"

#include <gtest/gtest.h>

#include "proto/wg/cookie.h"
#include "proto/wg/key_pair.h"
#include "proto/wg/padding.h"
#include "proto/wg/testing/vectors.h"

namespace ginnel::wg {
namespace {

using crypto::PresharedKey;
using crypto::SessionPublic;
using crypto::SessionSecret;
using testing::Vectors;

constexpr ReceiverIndex kInitiatorIndex(0x11223344);
constexpr ReceiverIndex kResponderIndex(0x55667788);

// The keys that both vector files share.
class HandshakeVectors : public ::testing::Test {
 protected:
  const Vectors computed{"computed.hex"};
  const LocalKeys initiator{computed.key<SessionSecret>("initiator_static")};
  const LocalKeys responder{computed.key<SessionSecret>("responder_static")};

  PresharedKey preshared() const { return computed.key<PresharedKey>("preshared"); }
  RemoteKeys to_responder() const {
    return RemoteKeys::make(initiator, responder.public_key, preshared()).value();
  }
  RemoteKeys to_initiator() const {
    return RemoteKeys::make(responder, initiator.public_key, preshared()).value();
  }
  SessionSecret initiator_ephemeral() const {
    return computed.key<SessionSecret>("initiator_ephemeral");
  }
  SessionSecret responder_ephemeral() const {
    return computed.key<SessionSecret>("responder_ephemeral");
  }
  Timestamp timestamp() const {
    Timestamp out;
    std::ranges::copy(computed["timestamp"], std::as_writable_bytes(std::span(out.bytes)).begin());
    return out;
  }
  static KeyPair pair_of(const TransportKeys& keys, bool is_initiator, ReceiverIndex local,
                         ReceiverIndex remote) {
    return KeyPair(keys, {.peer = {},
                          .local_index = local,
                          .remote_index = remote,
                          .is_initiator = is_initiator,
                          .created = {},
                          .reject_after_time = 180s,
                          .reject_after_messages = ~0ull - 8192,
                          .activity = std::make_shared<Activity>()});
  }
};

TEST_F(HandshakeVectors, BeginsFromTheSpecifiedState) {
  EXPECT_EQ(initiator.public_key.hex(), computed.hex("initiator_public"));
  EXPECT_EQ(responder.public_key.hex(), computed.hex("responder_public"));
  const NoiseState state(responder.public_key);
  EXPECT_EQ(to_hex(state.chain().bytes()), computed.hex("initial_chain"));
  EXPECT_EQ(state.hash(),
            crypto::blake2s_256({computed["initial_hash"], responder.public_key.bytes()}));
}

TEST_F(HandshakeVectors, InitiatorWritesTheComputedInitiation) {
  Initiation message;
  const auto state = create_initiation(initiator, to_responder(), initiator_ephemeral(),
                                       kInitiatorIndex, timestamp(), message);
  ASSERT_TRUE(state);
  EXPECT_EQ(to_hex(state->noise.chain().bytes()), computed.hex("chain_after_initiation"));
  EXPECT_EQ(to_hex(state->noise.hash()), computed.hex("hash_after_initiation"));
  ByteVector bytes(kInitiationBytes);
  message.write(bytes);
  CookieJar(responder.public_key, 120s).add_macs({}, bytes);
  EXPECT_EQ(to_hex(bytes), computed.hex("initiation"));
}

TEST_F(HandshakeVectors, ResponderReadsItAndWritesTheComputedResponse) {
  const auto message = Initiation::parse(computed["initiation"]);
  auto opened = open_initiation(responder, *message);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->remote_static, initiator.public_key);
  EXPECT_EQ(opened->sender, kInitiatorIndex);
  EXPECT_EQ(open_timestamp(*opened, *message, to_initiator().static_static).value(), timestamp());
  EXPECT_EQ(to_hex(opened->noise.hash()), computed.hex("hash_after_initiation"));

  Response response;
  const auto keys =
      create_response(*opened, preshared(), responder_ephemeral(), kResponderIndex, response);
  ASSERT_TRUE(keys);
  EXPECT_EQ(to_hex(keys->send.bytes()), computed.hex("initiator_receive"));
  EXPECT_EQ(to_hex(keys->receive.bytes()), computed.hex("initiator_send"));
  ByteVector bytes(kResponseBytes);
  response.write(bytes);
  CookieJar(initiator.public_key, 120s).add_macs({}, bytes);
  EXPECT_EQ(to_hex(bytes), computed.hex("response"));
}

TEST_F(HandshakeVectors, InitiatorDerivesTheSameKeysFromTheResponse) {
  Initiation message;
  const auto state = create_initiation(initiator, to_responder(), initiator_ephemeral(),
                                       kInitiatorIndex, timestamp(), message);
  const auto keys =
      consume_response(*state, initiator, preshared(), *Response::parse(computed["response"]));
  ASSERT_TRUE(keys);
  EXPECT_EQ(to_hex(keys->send.bytes()), computed.hex("initiator_send"));
  EXPECT_EQ(to_hex(keys->receive.bytes()), computed.hex("initiator_receive"));
}

TEST_F(HandshakeVectors, DataSealsAndOpensAsComputed) {
  const TransportKeys keys{computed.key<crypto::SymmetricKey>("initiator_send"),
                           computed.key<crypto::SymmetricKey>("initiator_receive")};
  KeyPair pair = pair_of(keys, true, kInitiatorIndex, kResponderIndex);
  ByteVector out(2000);
  EXPECT_EQ(to_hex(ConstBytes(out).first(pair.seal(Sender::kControl, 0, {}, out))),
            computed.hex("keepalive"));
  ByteVector inner = computed["inner"];
  inner.resize(padded_size(inner.size(), 1420));
  EXPECT_EQ(to_hex(ConstBytes(out).first(pair.seal(Sender::kForwarding, 1, inner, out))),
            computed.hex("data"));
  ByteVector back = computed["data_back"];
  const auto plaintext = pair.open({}, back);
  ASSERT_TRUE(plaintext);
  EXPECT_EQ(to_hex(without_padding(*plaintext).value()), computed.hex("inner"));
}

// The responder's ephemeral secret is wireguard-go's alone: all the rest is replayed from our side.
TEST_F(HandshakeVectors, TheLiveExchangeWithWireguardGoOpens) {
  const Vectors live("wireguard-go.hex");
  const auto sent = Initiation::parse(live["initiation"]);
  auto as_responder = open_initiation(responder, *sent);
  ASSERT_TRUE(as_responder);
  const auto stamp = open_timestamp(*as_responder, *sent, to_initiator().static_static);
  ASSERT_TRUE(stamp);

  Initiation message;
  const auto state = create_initiation(initiator, to_responder(), initiator_ephemeral(),
                                       kInitiatorIndex, *stamp, message);
  ByteVector bytes(kInitiationBytes);
  message.write(bytes);
  CookieJar(responder.public_key, 120s).add_macs({}, bytes);
  EXPECT_EQ(to_hex(bytes), live.hex("initiation"));

  const auto response = Response::parse(live["response"]);
  const auto keys = consume_response(*state, initiator, preshared(), *response);
  ASSERT_TRUE(keys);
  EXPECT_EQ(to_hex(keys->send.bytes()), live.hex("initiator_send"));
  EXPECT_EQ(to_hex(keys->receive.bytes()), live.hex("initiator_receive"));

  KeyPair pair = pair_of(*keys, true, kInitiatorIndex, response->sender);
  ByteVector back = live["data_back"];
  EXPECT_EQ(to_hex(pair.open({}, back).value()), live.hex("inner_back"));
  ByteVector inner = computed["inner"];
  inner.resize(padded_size(inner.size(), 1420));
  ByteVector out(2000);
  EXPECT_EQ(to_hex(ConstBytes(out).first(pair.seal(Sender::kControl, 0, inner, out))),
            live.hex("data"));
}

TEST_F(HandshakeVectors, EveryChangedBitOfAMessageIsNoticed) {
  for (std::size_t at = 8; at < kInitiationBytes - kMacsBytes; ++at) {
    ByteVector bytes = computed["initiation"];
    bytes[at] ^= std::byte{0x10};
    const auto message = Initiation::parse(bytes);
    auto opened = open_initiation(responder, *message);
    if (!opened) continue;
    EXPECT_FALSE(open_timestamp(*opened, *message, to_initiator().static_static)) << at;
  }
  Initiation message;
  const auto state = create_initiation(initiator, to_responder(), initiator_ephemeral(),
                                       kInitiatorIndex, timestamp(), message);
  for (std::size_t at = 12; at < kResponseBytes - kMacsBytes; ++at) {
    ByteVector bytes = computed["response"];
    bytes[at] ^= std::byte{0x10};
    EXPECT_FALSE(consume_response(*state, initiator, preshared(), *Response::parse(bytes))) << at;
  }
}

TEST_F(HandshakeVectors, AnotherPresharedKeyCompletesNoHandshake) {
  Initiation message;
  const auto state = create_initiation(initiator, to_responder(), initiator_ephemeral(),
                                       kInitiatorIndex, timestamp(), message);
  const auto keys = consume_response(*state, initiator, {}, *Response::parse(computed["response"]));
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error(), Drop::kNotAuthentic);
}

// Section 5.4: an all-zero Diffie-Hellman result aborts the step.
TEST_F(HandshakeVectors, WeakKeysAreRefusedWhereverTheyCome) {
  const SessionPublic weak;
  EXPECT_EQ(RemoteKeys::make(initiator, weak, {}).error(), Drop::kWeakKey);
  auto initiation = *Initiation::parse(computed["initiation"]);
  initiation.ephemeral = weak;
  EXPECT_EQ(open_initiation(responder, initiation).error(), Drop::kWeakKey);
  Initiation message;
  const auto state = create_initiation(initiator, to_responder(), initiator_ephemeral(),
                                       kInitiatorIndex, timestamp(), message);
  auto response = *Response::parse(computed["response"]);
  response.ephemeral = weak;
  EXPECT_EQ(consume_response(*state, initiator, preshared(), response).error(), Drop::kWeakKey);
}

}  // namespace
}  // namespace ginnel::wg
