#include "proto/swim/frame.h"

#include "base/assert.h"
#include "base/writer.h"
#include "proto/swim/crc32.h"
#include "proto/swim/limits.h"
#include "proto/swim/lzw.h"

namespace ginnel::swim {
namespace {

constexpr std::byte kLabelByte{static_cast<std::uint8_t>(MessageType::kHasLabel)};
constexpr std::byte kCrcByte{static_cast<std::uint8_t>(MessageType::kHasCrc)};
constexpr std::byte kEncryptByte{static_cast<std::uint8_t>(MessageType::kEncrypt)};
constexpr std::size_t kLabelHeaderBytes = 2;
constexpr std::size_t kCrcBytes = 5;
constexpr std::uint64_t kLzw = 0;
constexpr std::array<std::string_view, 2> kCompressFields{"Algo", "Buf"};

void append(ConstBytes bytes, ByteVector& out) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
void append_u32be(std::uint32_t v, ByteVector& out) {
  std::array<std::byte, 4> bytes;
  Writer(bytes).u32be(v);
  append(bytes, out);
}

void append_label(ConstBytes label, ByteVector& out) {
  if (label.empty()) return;
  out.push_back(kLabelByte);
  out.push_back(static_cast<std::byte>(label.size()));
  append(label, out);
}

void append_crc_frame(ConstBytes message, ByteVector& out) {
  out.push_back(kCrcByte);
  append_u32be(crc32(message), out);
  append(message, out);
}

// memberlist: a shorter one is no checksum frame, and then no message that exists.
Result<ConstBytes, Drop> without_crc(ConstBytes message) {
  if (message.empty()) return Fail(Drop::kEmpty);
  if (message[0] != kCrcByte || message.size() < kCrcBytes) return message;
  Reader r(message.subspan(1));
  const std::uint32_t said = r.u32be();
  const ConstBytes rest = r.rest();
  if (crc32(rest) != said) return Fail(Drop::kBadCrc);
  if (rest.empty()) return Fail(Drop::kEmpty);
  return rest;
}

}  // namespace

void write_compressed(ConstBytes message, ByteVector& out) {
  out.push_back(static_cast<std::byte>(MessageType::kCompress));
  MsgpackWriter(out).map(2).key("Algo").number(kLzw).key("Buf").bytes(lzw_compress(message));
}

Result<ByteVector, Drop> parse_compressed(ConstBytes body, std::size_t plain_bytes_max) {
  MsgpackReader r(body);
  std::uint64_t algorithm = 0;
  ConstBytes compressed;
  r.read_struct(kCompressFields, [&](std::size_t field) {
    if (field == 0) algorithm = r.number<std::uint64_t>();
    else compressed = r.raw();
  });
  if (r.problem()) return Fail(*r.problem());
  if (algorithm != kLzw) return Fail(Drop::kBadCompression);
  auto plain = lzw_decompress(compressed, plain_bytes_max);
  if (plain && plain->empty()) return Fail(Drop::kEmpty);
  return plain;
}

void Framer::set_verify(bool incoming, bool outgoing) {
  options_.verify_incoming = incoming;
  options_.verify_outgoing = outgoing;
}

std::size_t Framer::datagram_overhead_bytes() const {
  const std::size_t label = options_.label.empty() ? 0 : kLabelHeaderBytes + options_.label.size();
  return label + (encrypts() ? KeyRing::kOverheadBytes : 0) + kCrcBytes;
}

void Framer::seal_datagram(ConstBytes message, const SealOptions& how, Rng& rng, ByteVector& out) {
  GINNEL_ASSERT(!message.empty());
  ByteVector compressed;
  if (options_.compress) {
    write_compressed(message, compressed);
    if (compressed.size() < message.size()) message = compressed;
  }
  append_label(label(), out);
  ByteVector checked;
  if (how.crc) {
    append_crc_frame(message, checked);
    message = checked;
  }
  if (encrypts()) keys_.seal(how.encryption_version, label(), {}, message, rng, out);
  else append(message, out);
}

Result<ConstBytes, Drop> Framer::open_datagram(ConstBytes datagram, ByteVector& scratch) {
  if (datagram.empty()) return Fail(Drop::kEmpty);
  const auto label_size = label_bytes(datagram);
  if (!label_size) return Fail(label_size.error());
  if (!*label_size) return Fail(Drop::kTooShort);
  const auto message = decrypted(datagram.subspan(**label_size), scratch);
  if (!message) return message;
  return without_crc(*message);
}

Result<ConstBytes, Drop> Framer::decrypted(ConstBytes datagram, ByteVector& scratch) {
  if (keys_.empty()) return datagram;
  const auto opened = keys_.open(datagram, label(), {}, scratch);
  if (opened || !options_.verify_incoming) return opened ? opened : datagram;
  // What can be no sealed packet at all was sent in the clear.
  const bool plain = opened.error() == Drop::kBadVersion || opened.error() == Drop::kTooShort;
  return Fail(plain ? Drop::kNotEncrypted : opened.error());
}

Result<std::optional<std::size_t>, Drop> Framer::label_bytes(ConstBytes stream) const {
  using Size = std::optional<std::size_t>;
  if (stream.empty()) return Size();
  const ConstBytes expected = label();
  if (stream[0] != kLabelByte) {
    const bool fits = expected.empty() || options_.skip_inbound_label_check;
    return fits ? Result<Size, Drop>(Size(0)) : Fail(Drop::kWrongLabel);
  }
  if (options_.skip_inbound_label_check) return Fail(Drop::kWrongLabel);
  if (stream.size() < kLabelHeaderBytes) return Size();
  const auto size = std::to_integer<std::size_t>(stream[1]);
  if (size == 0 || size != expected.size()) return Fail(Drop::kWrongLabel);
  if (stream.size() < kLabelHeaderBytes + size) return Size();
  if (!equal(stream.subspan(kLabelHeaderBytes, size), expected)) return Fail(Drop::kWrongLabel);
  return Size(kLabelHeaderBytes + size);
}

void Framer::seal_stream(ConstBytes message, Side side, std::uint8_t encryption_version, Rng& rng,
                         ByteVector& out) {
  GINNEL_ASSERT(!message.empty());
  ByteVector compressed;
  if (options_.compress) {
    // memberlist: a stream's message is compressed even when that makes it larger.
    write_compressed(message, compressed);
    message = compressed;
  }
  if (side == Side::kDialer) append_label(label(), out);
  if (!encrypts()) return append(message, out);
  const std::size_t header = out.size();
  out.push_back(kEncryptByte);
  append_u32be(static_cast<std::uint32_t>(keys_.sealed_bytes(encryption_version, message.size())),
               out);
  const ByteVector aad(out.begin() + static_cast<std::ptrdiff_t>(header), out.end());
  keys_.seal(encryption_version, aad, label(), message, rng, out);
}

Result<ConstBytes, Drop> Framer::open_stream(ConstBytes frame, ByteVector& scratch) {
  if (keys_.empty()) return Fail(Drop::kUnexpectedCipher);
  if (frame.size() < kStreamHeaderBytes) return Fail(Drop::kTooShort);
  const ConstBytes header = frame.first(kStreamHeaderBytes);
  return keys_.open(frame.subspan(kStreamHeaderBytes), header, label(), scratch);
}

}  // namespace ginnel::swim
