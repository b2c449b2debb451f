// Messages of real memberlist agents, read and written again to the same bytes (testdata/).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>

#include "proto/swim/crc32.h"
#include "proto/swim/lzw.h"
#include "proto/swim/stream_reader.h"
#include "proto/swim/testing/vectors.h"
#include "proto/swim/unfold.h"

namespace ginnel::swim {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kKeyHex =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const ByteVector kNonce = *from_hex("a0a1a2a3a4a5a6a7a8a9aaab");

struct Messages {
  std::vector<std::string> hex;  // of each, type byte first
  std::vector<Drop> drops;
  void on_message(MessageType type, ConstBytes body) {
    ByteVector whole{static_cast<std::byte>(type)};
    whole.insert(whole.end(), body.begin(), body.end());
    hex.push_back(to_hex(whole));
  }
  void on_drop(Drop why) { drops.push_back(why); }
  ConstBytes body(std::size_t i) {
    bodies.push_back(*from_hex(hex[i].substr(2)));
    return bodies.back();
  }
  std::list<ByteVector> bodies;
};

Framer framer_with(std::string label, bool key) {
  Framer out({.label = std::move(label)});
  const ByteVector bytes = *from_hex(kKeyHex);
  if (key) out.keys().install(*crypto::AesKey::from(bytes)).value();
  return out;
}

Messages messages_of(ConstBytes datagram, Framer framer = framer_with("", false)) {
  Messages out;
  ByteVector scratch;
  const auto message = framer.open_datagram(datagram, scratch);
  EXPECT_TRUE(message) << (message ? "" : name_of(message.error()));
  if (message) Unfolder(out).unfold(*message);
  return out;
}

// The message itself again, through its type's parser and writer.
std::string rewritten(const std::string& hex) {
  const ByteVector message = *from_hex(hex);
  const ConstBytes body = ConstBytes(message).subspan(1);
  switch (static_cast<MessageType>(message[0])) {
    case MessageType::kPing: return to_hex(encode(*Ping::parse(body)));
    case MessageType::kIndirectPing: return to_hex(encode(*IndirectPing::parse(body)));
    case MessageType::kAck: return to_hex(encode(*Ack::parse(body)));
    case MessageType::kNack: return to_hex(encode(*Nack::parse(body)));
    case MessageType::kSuspect: return to_hex(encode(*Suspect::parse(body)));
    case MessageType::kAlive: return to_hex(encode(*Alive::parse(body)));
    case MessageType::kDead: return to_hex(encode(*Dead::parse(body)));
    case MessageType::kError: return to_hex(encode(*ErrorReply::parse(body)));
    default: return hex;
  }
}

std::string crc_framed(ConstBytes message) {
  Rng rng = Rng::from_seed(1);
  ByteVector out;
  Framer({.compress = false}).seal_datagram(message, {.crc = true}, rng, out);
  return to_hex(out);
}

class Vector : public ::testing::Test {
 protected:
  testing::Vectors vectors;
  std::string hex(const std::string& name) { return to_hex(vectors[name]); }
  // One message per datagram: read, then written again by parser, writer and checksum.
  void expect_both_ways(const std::string& name, bool crc) {
    Messages m = messages_of(vectors[name]);
    ASSERT_EQ(m.hex.size(), 1u) << name;
    const std::string again = rewritten(m.hex[0]);
    EXPECT_EQ(crc ? crc_framed(*from_hex(again)) : again, hex(name)) << name;
  }
};

TEST_F(Vector, 1Ping) {
  const auto p = Ping::parse(vectors["1"].subspan(1));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->node, "s1");
  EXPECT_EQ(p->seq, SequenceNumber(1));
  EXPECT_EQ(p->source.text(), "127.0.0.2:7946");
  EXPECT_EQ(p->source_node, "s2");
  expect_both_ways("1", false);
}

TEST_F(Vector, 2CompressedAckWithCoordinate) {
  Messages m = messages_of(vectors["2"]);
  ASSERT_EQ(m.hex.size(), 1u);
  const auto ack = Ack::parse(m.body(0));
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->seq, SequenceNumber(1));
  EXPECT_EQ(ack->payload.size(), 130u);
  EXPECT_EQ(ack->payload[0], std::byte{1});
  ByteVector again;
  write_compressed(*from_hex(rewritten(m.hex[0])), again);
  EXPECT_EQ(to_hex(again), hex("2"));
}

TEST_F(Vector, 3IndirectPing) {
  const auto p = IndirectPing::parse(vectors["3"].subspan(1));
  ASSERT_TRUE(p);
  EXPECT_TRUE(p->nack);
  EXPECT_EQ(p->node, "s2");
  EXPECT_EQ(p->target.text(), "127.0.0.2:7946");
  EXPECT_EQ(p->seq, SequenceNumber(8));
  EXPECT_EQ(p->source.text(), "127.0.0.1:7946");
  EXPECT_EQ(p->source_node, "s1");
  expect_both_ways("3", false);
}

TEST_F(Vector, 4Nack) {
  EXPECT_EQ(Nack::parse(vectors["4"].subspan(1))->seq, SequenceNumber(9));
  expect_both_ways("4", false);
}

TEST_F(Vector, 5SuspectWithChecksum) {
  Messages m = messages_of(vectors["5"]);
  const auto s = Suspect::parse(m.body(0));
  EXPECT_EQ(s->from, "s1");
  EXPECT_EQ(s->node, "s2");
  EXPECT_EQ(s->incarnation, Incarnation(1));
  expect_both_ways("5", true);
}

TEST_F(Vector, 6DeadWithChecksum) {
  Messages m = messages_of(vectors["6"]);
  EXPECT_FALSE(Dead::parse(m.body(0))->is_leave());
  expect_both_ways("6", true);
}

TEST_F(Vector, 7DeadAboutItselfIsALeave) {
  Messages m = messages_of(vectors["7"]);
  const auto dead = Dead::parse(m.body(0));
  EXPECT_TRUE(dead->is_leave());
  EXPECT_EQ(dead->node, "01M81G0HBA30TBKT1QBTD4VJTC");
  expect_both_ways("7", true);
}

TEST_F(Vector, 8Alive) {
  Messages m = messages_of(vectors["8"]);
  const auto alive = Alive::parse(m.body(0));
  EXPECT_EQ(alive->node, "s3");
  EXPECT_EQ(alive->endpoint.text(), "127.0.0.3:7946");
  EXPECT_EQ(to_hex(alive->meta), "ff80");
  EXPECT_EQ(alive->vsn, (Vsn{1, 5, 2, 2, 5, 5}));
  expect_both_ways("8", true);
}

TEST_F(Vector, 9CompoundOfPingAndSuspect) {
  Messages m = messages_of(vectors["9"]);
  ASSERT_EQ(m.hex.size(), 2u);
  std::vector<ByteVector> parts;
  for (const auto& part : m.hex) parts.push_back(*from_hex(rewritten(part)));
  ByteVector again;
  write_compound(parts, again);
  EXPECT_EQ(crc_framed(again), hex("9"));
}

TEST_F(Vector, 10UserMessage) {
  Messages m = messages_of(vectors["10"]);
  ASSERT_EQ(m.hex.size(), 1u);
  EXPECT_EQ(m.hex[0], "080182a54c54696d6502a44e6f6465a27333");
  expect_both_ways("10", true);
}

TEST_F(Vector, 11CompressedCompoundOfFour) {
  Messages m = messages_of(vectors["11"]);
  ASSERT_EQ(m.hex.size(), 4u);
  std::vector<ByteVector> parts;
  for (const auto& part : m.hex) parts.push_back(*from_hex(rewritten(part)));
  ByteVector compound, compressed;
  write_compound(parts, compound);
  EXPECT_EQ(compound.size(), 217u);
  write_compressed(compound, compressed);
  EXPECT_EQ(crc_framed(compressed), hex("11"));
}

TEST_F(Vector, 12NilAndEmptyMetaAreToldApart) {
  Messages m = messages_of(vectors["12"]);
  ASSERT_EQ(m.hex.size(), 3u);
  EXPECT_EQ(Alive::parse(m.body(1))->meta.data(), nullptr);
  EXPECT_NE(Alive::parse(m.body(2))->meta.data(), nullptr);
  std::vector<ByteVector> parts;
  for (const auto& part : m.hex) parts.push_back(*from_hex(rewritten(part)));
  ByteVector again;
  write_compound(parts, again);
  EXPECT_EQ(to_hex(again), hex("12"));
}

// A stream of this many bytes a time; the message when it is complete.
StreamReader read_stream(ConstBytes stream, Framer& framer, Framer::Side side, std::size_t step) {
  StreamReader out(side);
  bool complete = false;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    EXPECT_FALSE(complete) << "complete before all has come";
    const auto fed = out.feed(stream.subspan(at, std::min(step, stream.size() - at)), framer);
    EXPECT_TRUE(fed) << (fed ? "" : name_of(fed.error()));
    if (!fed) break;
    complete = *fed;
  }
  EXPECT_TRUE(complete);
  return out;
}

ByteVector push_pull_again(const PushPullReader& parsed) {
  PushPullReader reader = parsed;
  ByteVector out;
  write(reader.header(), out);
  while (const auto node = reader.next()) write(*node, out);
  out.insert(out.end(), reader.user_state().begin(), reader.user_state().end());
  return out;
}

TEST_F(Vector, 13PushPullJoin) {
  Framer framer = framer_with("", false);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    const auto stream = read_stream(vectors["13"], framer, Framer::Side::kListener, step);
    ASSERT_EQ(stream.type(), MessageType::kPushPull);
    auto reader = PushPullReader::parse(stream.body());
    ASSERT_TRUE(reader);
    EXPECT_TRUE(reader->header().join);
    EXPECT_EQ(reader->header().nodes, 1u);
    EXPECT_EQ(to_hex(reader->user_state()), "0a050a036e666c0a050a0373696c");
    ByteVector again;
    write_compressed(push_pull_again(*reader), again);
    EXPECT_EQ(to_hex(again), hex("13"));
    const auto node = reader->next();
    EXPECT_EQ(node->endpoint.text(), "127.0.0.2:9094");
    EXPECT_EQ(node->state, State::kAlive);
  }
}

// A sealed vector again: the same nonce, the plaintext that was found.
std::string sealed_again(ConstBytes sealed, ConstBytes aad, ConstBytes label) {
  Framer framer = framer_with("", true);
  ByteVector scratch, out;
  const auto plain = framer.keys().open(sealed, aad, label, scratch);
  EXPECT_TRUE(plain);
  if (!plain) return "";
  framer.keys().seal_with_nonce(std::to_integer<std::uint8_t>(sealed[0]),
                                crypto::AesGcm::Nonce(sealed.data() + 1, 12), aad, label, *plain,
                                out);
  return to_hex(out);
}

TEST_F(Vector, 14EncryptedDatagram) {
  Messages m = messages_of(vectors["14"], framer_with("", true));
  ASSERT_EQ(m.hex.size(), 2u);
  EXPECT_EQ(m.hex[0].substr(0, 2), "04");
  EXPECT_EQ(m.hex[1].substr(0, 2), "04");
  EXPECT_EQ(sealed_again(vectors["14"], {}, {}), hex("14"));
}

TEST_F(Vector, 15EncryptedStream) {
  Framer framer = framer_with("", true);
  const auto stream = read_stream(vectors["15"], framer, Framer::Side::kListener, 13);
  ASSERT_EQ(stream.type(), MessageType::kPushPull);
  EXPECT_EQ(stream.body().size() + 1, 692u);
  const auto reader = PushPullReader::parse(stream.body());
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->user_state().size(), 586u);
  ByteVector plain{std::byte{6}}, compressed, sealed;
  plain.insert(plain.end(), stream.body().begin(), stream.body().end());
  EXPECT_EQ(to_hex(push_pull_again(*reader)), to_hex(plain));
  write_compressed(plain, compressed);
  const ConstBytes header = vectors["15"].first(5);
  framer.keys().seal_with_nonce(1, crypto::AesGcm::Nonce(vectors["15"].data() + 6, 12), header, {},
                                compressed, sealed);
  EXPECT_EQ(to_hex(header) + to_hex(sealed), hex("15"));
}

TEST_F(Vector, 16And17SealedPingsOfBothVersions) {
  for (const auto& [name, version] : {std::pair("16", 1), std::pair("17", 0)}) {
    EXPECT_THAT(messages_of(vectors[name], framer_with("", true)).hex, ElementsAre(hex("plain")));
    Framer framer = framer_with("", true);
    ByteVector out;
    framer.keys().seal_with_nonce(static_cast<std::uint8_t>(version),
                                  crypto::AesGcm::Nonce(kNonce.data(), 12), {}, {},
                                  vectors["plain"], out);
    EXPECT_EQ(to_hex(out), hex(name));
  }
}

TEST_F(Vector, 18And19SealedPingsOnStreams) {
  for (const auto& [name, version] : {std::pair("18", 1), std::pair("19", 0)}) {
    Framer framer = framer_with("", true);
    const auto stream = read_stream(vectors[name], framer, Framer::Side::kListener, 1);
    EXPECT_EQ("00" + to_hex(stream.body()), hex("plain"));
    ByteVector out;
    const ConstBytes header = vectors[name].first(5);
    framer.keys().seal_with_nonce(static_cast<std::uint8_t>(version),
                                  crypto::AesGcm::Nonce(kNonce.data(), 12), header, {},
                                  vectors["plain"], out);
    EXPECT_EQ(to_hex(header) + to_hex(out), hex(name));
  }
}

TEST_F(Vector, 20LabelledDatagram) {
  EXPECT_THAT(messages_of(vectors["20"], framer_with("blue", true)).hex, ElementsAre(hex("plain")));
  ByteVector scratch;
  EXPECT_EQ(framer_with("red!", true).open_datagram(vectors["20"], scratch).error(),
            Drop::kWrongLabel);
  EXPECT_EQ(framer_with("", true).open_datagram(vectors["20"], scratch).error(),
            Drop::kWrongLabel);
  EXPECT_EQ("f404626c7565" + sealed_again(vectors["20"].subspan(6), bytes_of("blue"), {}),
            hex("20"));
}

TEST_F(Vector, 21LabelledStream) {
  Framer framer = framer_with("blue", true);
  const auto stream = read_stream(vectors["21"], framer, Framer::Side::kListener, 1);
  EXPECT_EQ("00" + to_hex(stream.body()), hex("plain"));
  const ConstBytes frame = vectors["21"].subspan(6);
  EXPECT_EQ("f404626c7565" + to_hex(frame.first(5)) +
                sealed_again(frame.subspan(5), frame.first(5), bytes_of("blue")),
            hex("21"));
}

TEST_F(Vector, 22AckOnAStreamHasNoPayload) {
  Framer framer = framer_with("", false);
  const auto stream = read_stream(vectors["22"], framer, Framer::Side::kDialer, 3);
  EXPECT_EQ("02" + to_hex(stream.body()), hex("22_plain"));
  EXPECT_EQ(Ack::parse(stream.body())->payload.data(), nullptr);
  EXPECT_EQ(rewritten(hex("22_plain")), hex("22_plain"));
  ByteVector again;
  write_compressed(vectors["22_plain"], again);
  EXPECT_EQ(to_hex(again), hex("22"));
}

TEST_F(Vector, 23ErrorReply) {
  Framer framer = framer_with("", false);
  const auto stream = read_stream(vectors["23"], framer, Framer::Side::kDialer, 5);
  EXPECT_EQ(ErrorReply::parse(stream.body())->text,
            "Remote state is encrypted and encryption is not configured");
  EXPECT_EQ(rewritten(hex("23_plain")), hex("23_plain"));
  ByteVector again;
  write_compressed(vectors["23_plain"], again);
  EXPECT_EQ(to_hex(again), hex("23"));
}

TEST_F(Vector, 24UserMessageOnAStream) {
  Framer framer = framer_with("", false);
  const auto stream = read_stream(vectors["24"], framer, Framer::Side::kListener, 1);
  const auto user = parse_user(stream.body());
  ASSERT_TRUE(user);
  EXPECT_EQ(user->size(), 38u);
  ByteVector again;
  write_user(*user, again);
  EXPECT_EQ(to_hex(again), hex("24"));
}

TEST_F(Vector, 25ShortLzw) {
  const std::pair<std::string, std::string> rows[] = {
      {"25a", ""}, {"25b", "A"}, {"25c", std::string(64, 'A')}};
  for (const auto& [name, text] : rows) {
    EXPECT_EQ(to_hex(lzw_compress(bytes_of(text))), hex(name));
    EXPECT_EQ(text_of(*lzw_decompress(vectors[name], 100)), text);
  }
}

// Crosses every code width and the reset at code 4095.
TEST_F(Vector, 26LongLzw) {
  ByteVector in(6000);
  std::uint32_t x = 1;
  for (std::byte& b : in) {
    x = x * 1664525u + 1013904223u;
    b = static_cast<std::byte>((x >> 24) & 0x3f);
  }
  EXPECT_EQ(crc32(in), 0xf3f2cb36u);
  const ByteVector out = lzw_compress(in);
  EXPECT_EQ(out.size(), 6312u);
  EXPECT_EQ(crc32(out), 0x513b9b27u);
  EXPECT_EQ(to_hex(ConstBytes(out).first(16)), "0079780840838107030e088c00c0e282");
  EXPECT_TRUE(equal(*lzw_decompress(out, in.size()), in));
}

}  // namespace
}  // namespace ginnel::swim
