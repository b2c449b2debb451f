// Two ends on loopback: datagrams over TCP, and what is not one given back.
#include "runtime/gossip/datagram_streams.h"

#include <gtest/gtest.h>

#include "io/clock.h"

namespace ginnel::gossip {
namespace {

// One member's end: its listener, its connections, and what came.
struct End {
  explicit End(io::EventLoop& event_loop)
      : loop(event_loop),
        listener(io::TcpListener::open(*Endpoint::parse("127.0.0.1:0")).value()),
        streams(loop, listener->local().port,
                {[this](const Endpoint& from, Bytes datagram) {
                   heard.emplace_back(from, std::string(text_of(datagram)));
                   if (answer) send(from, "ack");
                 },
                 [this](io::TcpStream stream, ConstBytes first) {
                   others.emplace_back(std::move(stream), to_vector(first));
                 }}) {
    loop.watch(listener->fd(), {.read = true}, [this](io::Ready) {
      while (auto stream = listener->accept()) streams.accepted(*std::move(stream));
    }).value();
  }
  ~End() { loop.unwatch(listener->fd()); }
  Endpoint at() const { return listener->local(); }
  void send(const Endpoint& to, std::string_view text) {
    const auto slot = streams.slot();
    std::ranges::copy(bytes_of(text), slot.begin());
    streams.commit({.to = to, .size = text.size()});
  }

  io::EventLoop& loop;
  std::unique_ptr<io::TcpListener> listener;
  DatagramStreams streams;
  std::vector<std::pair<Endpoint, std::string>> heard;
  std::vector<std::pair<io::TcpStream, ByteVector>> others;
  bool answer = false;
};

class DatagramsOverTcp : public testing::Test {
 protected:
  // Virtual time cannot reach real sockets: what is looked for is looked for until it is there.
  bool soon(const std::function<bool()>& holds) {
    const Instant end = io::now() + 20s;
    while (!holds()) {
      if (io::now() > end) return false;
      loop->run_once(10ms);
    }
    return true;
  }
  // A connection from elsewhere that says what it likes.
  io::TcpStream stranger(End& to, std::string_view says) {
    io::TcpStream stream = io::TcpStream::dial(to.at()).value();
    const ConstBytes bytes = bytes_of(says);
    EXPECT_TRUE(soon([&] { return stream.write(bytes).status == io::TcpStream::Status::kOk; }));
    return stream;
  }
  bool is_closed(io::TcpStream& stream) {
    return soon([&] {
      std::array<std::byte, 64> in;
      const auto status = stream.read(in).status;
      return status == io::TcpStream::Status::kEnd || status == io::TcpStream::Status::kFailed;
    });
  }

  std::unique_ptr<io::EventLoop> loop = io::EventLoop::make().value();
  End a{*loop}, b{*loop};
};

TEST_F(DatagramsOverTcp, AnAnswerComesBackOverTheSameConnection) {
  b.answer = true;
  a.send(b.at(), "ping");
  a.send(b.at(), "ping again");
  ASSERT_TRUE(soon([&] { return a.heard.size() == 2; }));
  EXPECT_EQ(b.heard[0], std::pair(a.at(), std::string("ping")));
  EXPECT_EQ(b.heard[1].second, "ping again");
  EXPECT_EQ(a.heard[0], std::pair(b.at(), std::string("ack")));
  EXPECT_EQ(a.streams.connection_count(), 1u);
  EXPECT_EQ(b.streams.connection_count(), 1u);
}

TEST_F(DatagramsOverTcp, AConnectionThatIsNoneOfOursIsGivenBackWithItsFirstBytes) {
  const auto kept = stranger(b, std::string_view("\x06 push", 6));
  ASSERT_TRUE(soon([&] { return b.others.size() == 1; }));
  EXPECT_EQ(b.others[0].second, to_vector(bytes_of("\x06 push")));
  EXPECT_EQ(b.streams.connection_count(), 0u);
}

TEST_F(DatagramsOverTcp, WhatCannotBeReadOnIsClosed) {
  io::TcpStream stream = stranger(b, std::string_view("\x67\x01\x1f\x0a\x00\x00", 6));
  EXPECT_TRUE(is_closed(stream));
  EXPECT_EQ(b.streams.connection_count(), 0u);
  EXPECT_TRUE(b.heard.empty());
}

TEST_F(DatagramsOverTcp, WhoClaimsAnEndpointThatIsKnownTakesNothingFromIt) {
  a.send(b.at(), "one");
  ASSERT_TRUE(soon([&] { return b.heard.size() == 1; }));
  std::string claim("\x67\x01", 2);
  claim += static_cast<char>(a.at().port >> 8);
  claim += static_cast<char>(a.at().port & 0xff);
  const auto claimer = stranger(b, claim + std::string("\x03\x00two", 5));
  ASSERT_TRUE(soon([&] { return b.heard.size() == 2; }));
  EXPECT_EQ(b.heard[0].first, a.at());
  EXPECT_NE(b.heard[1].first, a.at());
  b.send(a.at(), "for a");
  EXPECT_TRUE(soon([&] { return a.heard.size() == 1; }));
}

TEST_F(DatagramsOverTcp, AnEndThatGoesTakesItsConnectionsAlongAndTheNextDatagramDialsAnew) {
  auto c = std::make_unique<End>(*loop);
  const Endpoint at = c->at();
  a.send(at, "one");
  ASSERT_TRUE(soon([&] { return c->heard.size() == 1; }));
  c.reset();
  EXPECT_TRUE(soon([&] { return a.streams.connection_count() == 0; }));
  a.send(at, "nobody listens");
  EXPECT_TRUE(soon([&] { return a.streams.connection_count() == 0; }));
  a.send(b.at(), "two");
  EXPECT_TRUE(soon([&] { return b.heard.size() == 1; }));
}

TEST_F(DatagramsOverTcp, AReaderThatDoesNotReadCostsDatagramsAndABoundedMemory) {
  auto silent = io::TcpListener::open(*Endpoint::parse("127.0.0.1:0")).value();
  const std::string large(60'000, 'x');
  std::uint64_t tried = 0;
  while (a.streams.counts().failed == 0 && tried < 2000) {
    a.send(silent->local(), large);
    ++tried;
    loop->run_once(0ms);
  }
  EXPECT_EQ(a.streams.counts().failed, 1u);
  EXPECT_EQ(a.streams.counts().sent, tried - 1);
  EXPECT_EQ(a.streams.connection_count(), 1u);
}

TEST_F(DatagramsOverTcp, BeyondTheLimitTheOneLeastUsedGoes) {
  std::vector<io::TcpStream> idle;
  a.send(b.at(), "one");
  ASSERT_TRUE(soon([&] { return b.heard.size() == 1; }));
  for (std::size_t i = 0; i < DatagramStreams::kConnectionsMax; ++i) {
    idle.push_back(stranger(b, "\x67"));
  }
  EXPECT_TRUE(is_closed(idle[0]));
  EXPECT_EQ(b.streams.connection_count(), DatagramStreams::kConnectionsMax);
  a.send(b.at(), "two");
  EXPECT_TRUE(soon([&] { return b.heard.size() == 2; }));
  EXPECT_EQ(a.streams.connection_count(), 1u);
}

}  // namespace
}  // namespace ginnel::gossip
