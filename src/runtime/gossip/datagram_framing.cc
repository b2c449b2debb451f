#include "runtime/gossip/datagram_framing.h"

#include "base/assert.h"
#include "base/reader.h"
#include "base/writer.h"
#include "proto/swim/limits.h"

namespace ginnel::gossip {
namespace {

constexpr std::uint8_t kHelloVersion = 1;
constexpr std::size_t kHelloBytes = 4;
// Most connections are idle most of the time: a larger buffer is given back when it is empty.
constexpr std::size_t kKeptBytes = 4096;

}  // namespace

void write_datagram_hello(std::uint16_t port, ByteVector& out) {
  std::array<std::byte, kHelloBytes> hello;
  Writer(hello).u8(kDatagramStreamByte).u8(kHelloVersion).u16be(port);
  out.insert(out.end(), hello.begin(), hello.end());
}

void write_framed(ConstBytes datagram, ByteVector& out) {
  GINNEL_ASSERT(!datagram.empty() && datagram.size() <= swim::kDatagramBytesMax);
  std::array<std::byte, kFrameHeaderBytes> header;
  Writer(header).u16le(static_cast<std::uint16_t>(datagram.size()));
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), datagram.begin(), datagram.end());
}

void DatagramReader::feed(ConstBytes bytes) {
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

// False: it has not all come, or is none.
bool DatagramReader::read_hello() {
  Reader r(buffer_);
  const std::uint8_t first = r.u8();
  const std::uint8_t version = r.u8();
  const std::uint16_t port = r.u16be();
  if (!r.ok()) return false;
  refused_ = first != kDatagramStreamByte || version != kHelloVersion || port == 0;
  if (refused_) return false;
  at_ = kHelloBytes;
  port_ = port;
  hello_wanted_ = false;
  return true;
}

std::optional<Bytes> DatagramReader::next() {
  if (refused_ || (hello_wanted_ && !read_hello())) return std::nullopt;
  Reader r(ConstBytes(buffer_).subspan(at_));
  const std::size_t size = r.u16le();
  if (!r.ok()) return need_more();
  refused_ = size == 0 || size > swim::kDatagramBytesMax;
  if (refused_) return std::nullopt;
  if (r.remaining() < size) return need_more();
  const std::size_t begin = at_ + kFrameHeaderBytes;
  at_ = begin + size;
  return Bytes(buffer_).subspan(begin, size);
}

// Lets go of what was given out.
std::nullopt_t DatagramReader::need_more() {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  if (buffer_.empty() && buffer_.capacity() > kKeptBytes) ByteVector().swap(buffer_);
  return std::nullopt;
}

}  // namespace ginnel::gossip
