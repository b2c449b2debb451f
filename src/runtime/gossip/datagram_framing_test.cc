// Datagrams in a TCP connection: docs/wire/ginnel.md, section 17.
#include "runtime/gossip/datagram_framing.h"

#include <gtest/gtest.h>

#include "proto/swim/limits.h"

namespace ginnel::gossip {
namespace {

ByteVector hex(std::string_view text) { return from_hex(text).value(); }

// Feeds in pieces of `step` bytes, and says what came out, joined by "|".
std::string read_all(DatagramReader& reader, ConstBytes stream, std::size_t step) {
  std::string out;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    reader.feed(stream.subspan(at, std::min(step, stream.size() - at)));
    while (const auto datagram = reader.next()) out += std::string(text_of(*datagram)) + "|";
  }
  return out;
}

TEST(DatagramFraming, WritesTheVectorOfTheWireDocument) {
  ByteVector out;
  write_datagram_hello(7946, out);
  write_framed(bytes_of("ping"), out);
  write_framed(bytes_of("ack"), out);
  EXPECT_EQ(to_hex(out), "67011f0a040070696e670300" "61636b");
}

TEST(DatagramFraming, ReadsTheSameHoweverTheStreamIsCut) {
  const ByteVector stream = hex("67011f0a040070696e67030061636b");
  for (const std::size_t step : {1, 2, 3, 5, 15}) {
    DatagramReader reader(true);
    EXPECT_EQ(read_all(reader, stream, step), "ping|ack|") << step;
    EXPECT_EQ(reader.port(), 7946);
    EXPECT_FALSE(reader.refused());
  }
}

TEST(DatagramFraming, AnAnswerHasNoHello) {
  DatagramReader reader(false);
  EXPECT_EQ(read_all(reader, hex("030061636b"), 2), "ack|");
  EXPECT_FALSE(reader.port());
}

TEST(DatagramFraming, AnotherFirstByteVersionOrPortIsRefusedForGood) {
  for (const char* wrong : {"68011f0a", "67021f0a", "67010000"}) {
    DatagramReader reader(true);
    EXPECT_EQ(read_all(reader, hex(std::string(wrong) + "040070696e67"), 1), "") << wrong;
    EXPECT_TRUE(reader.refused());
    EXPECT_FALSE(reader.port());
  }
}

TEST(DatagramFraming, ASizeThatNoDatagramHasIsRefused) {
  for (const char* wrong : {"0000", "e4ff", "ffff"}) {
    DatagramReader reader(false);
    EXPECT_EQ(read_all(reader, hex(std::string("030061636b") + wrong + "0000"), 3), "ack|");
    EXPECT_TRUE(reader.refused()) << wrong;
  }
}

TEST(DatagramFraming, TheLargestDatagramPasses) {
  const ByteVector datagram(swim::kDatagramBytesMax, std::byte{7});
  ByteVector stream;
  write_framed(datagram, stream);
  write_framed(datagram, stream);
  DatagramReader reader(false);
  EXPECT_EQ(read_all(reader, stream, 50'000).size(), 2 * (datagram.size() + 1));
}

}  // namespace
}  // namespace ginnel::gossip
