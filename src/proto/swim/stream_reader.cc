#include "proto/swim/stream_reader.h"

#include "proto/swim/limits.h"

namespace ginnel::swim {

Result<bool, Drop> StreamReader::feed(ConstBytes bytes, Framer& framer) {
  if (complete_) return true;
  if (bytes.size() > kStreamPlainBytesMax - std::min(kStreamPlainBytesMax, buffer_.size())) {
    return Fail(Drop::kTooLarge);
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  if (!label_read_) {
    if (const auto read = read_label(framer); !read || !*read) return read;
  }
  if (rest().empty()) return false;
  const auto type = static_cast<MessageType>(rest()[0]);
  const auto read = type == MessageType::kEncrypt ? read_sealed(framer) : read_plain(framer);
  if (read && *read) {
    complete_ = true;
    ByteVector().swap(buffer_);
    at_ = 0;
  }
  return read;
}

// The dialer put the label header before its request; an answer has none.
Result<bool, Drop> StreamReader::read_label(const Framer& framer) {
  if (side_ == Framer::Side::kListener) {
    const auto size = framer.label_bytes(buffer_);
    if (!size) return Fail(size.error());
    if (!*size) return false;
    at_ = **size;
  }
  label_read_ = true;
  return true;
}

Result<bool, Drop> StreamReader::read_sealed(Framer& framer) {
  if (framer.keys().empty()) return Fail(Drop::kUnexpectedCipher);
  Reader r(rest());
  r.u8();
  const std::size_t size = r.u32be();
  if (!r.ok()) return false;
  if (size > kStreamBytesMax) return Fail(Drop::kTooLarge);
  if (r.remaining() < size) return false;
  ByteVector scratch;
  const auto message = framer.open_stream(rest().first(kStreamHeaderBytes + size), scratch);
  if (!message) return Fail(message.error());
  if (message->empty()) return Fail(Drop::kEmpty);
  return complete(*message);
}

Result<bool, Drop> StreamReader::read_plain(Framer& framer) {
  if (!framer.keys().empty() && framer.options().verify_incoming) {
    return Fail(Drop::kNotEncrypted);
  }
  const auto scanned = scanner_.scan(rest());
  if (!scanned || !*scanned) return scanned;
  return complete(rest());
}

Result<bool, Drop> StreamReader::complete(ConstBytes message) {
  if (static_cast<MessageType>(message[0]) != MessageType::kCompress) {
    message_ = to_vector(message);
    return true;
  }
  auto plain = parse_compressed(message.subspan(1), kStreamPlainBytesMax);
  if (!plain) return Fail(plain.error());
  message_ = *std::move(plain);
  return true;
}

}  // namespace ginnel::swim
