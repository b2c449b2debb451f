// Datagrams in a TCP connection (docs/wire/ginnel.md, section 17).
//
//   DatagramReader reader(true);            // of a connection that was accepted
//   reader.feed(bytes);
//   while (auto datagram = reader.next()) ...  // until the next call
//   if (reader.refused()) ...               // what follows cannot be found: close it
//
// Holds at most one datagram that is not complete, and what was fed last. Pure.
#pragma once
#include <optional>

#include "base/bytes.h"

namespace ginnel::gossip {

// No stream of memberlist's begins so: those are its message types (0 to 13) and 244, a label.
inline constexpr std::uint8_t kDatagramStreamByte = 0x67;

// What the dialler sends first. `port`: where it listens itself.
void write_datagram_hello(std::uint16_t port, ByteVector& out);
// `datagram`: 1 to kDatagramBytesMax bytes.
void write_framed(ConstBytes datagram, ByteVector& out);
inline constexpr std::size_t kFrameHeaderBytes = 2;

class DatagramReader {
 public:
  // `hello`: one comes first, as from whoever dials.
  explicit DatagramReader(bool hello) : hello_wanted_(hello) {}

  // After next() had no more.
  void feed(ConstBytes bytes);
  // nullopt: more bytes are needed, or refused().
  std::optional<Bytes> next();
  bool refused() const { return refused_; }
  // Of the hello; nullopt: it has not come.
  std::optional<std::uint16_t> port() const { return port_; }

 private:
  bool read_hello();
  std::nullopt_t need_more();

  bool hello_wanted_;
  bool refused_ = false;
  std::optional<std::uint16_t> port_;
  ByteVector buffer_;
  std::size_t at_ = 0;  // what is before it was given out
};

}  // namespace ginnel::gossip
