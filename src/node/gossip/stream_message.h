// memberlist's streams as messages of one lane (docs/wire/ginnel.md section 15).
//
//   link.send(write({.op = StreamOp::kData, .number = 7, .data = bytes}));
//   auto message = parse_stream_message(bytes);
#pragma once
#include <optional>

#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::node {

// Of one message's data; longer writes go in several.
inline constexpr std::size_t kStreamChunkBytesMax = std::size_t{64} << 10;

enum class StreamOp : std::uint8_t { kOpen = 0, kData = 1, kClose = 2 };

struct StreamMessage {
  StreamOp op = StreamOp::kOpen;
  bool is_receivers = false;  // the receiver chose the number
  std::uint32_t number = 0;
  ConstBytes data;
};

inline constexpr std::uint8_t kReceiversNumber = 0x80;
inline constexpr std::size_t kStreamHeaderBytes = 5;

inline ByteVector write(const StreamMessage& message) {
  ByteVector out(kStreamHeaderBytes + message.data.size());
  const auto op = static_cast<std::uint8_t>(message.op);
  Writer(out)
      .u8(static_cast<std::uint8_t>(op | (message.is_receivers ? kReceiversNumber : 0)))
      .u32le(message.number)
      .put(message.data);
  return out;
}

// nullopt: too short, or an operation that does not exist. `data` borrows.
inline std::optional<StreamMessage> parse_stream_message(ConstBytes bytes) {
  Reader r(bytes);
  const std::uint8_t first = r.u8();
  StreamMessage out;
  const std::uint8_t op = first & static_cast<std::uint8_t>(~kReceiversNumber);
  if (op > static_cast<std::uint8_t>(StreamOp::kClose)) return std::nullopt;
  out.op = static_cast<StreamOp>(op);
  out.is_receivers = (first & kReceiversNumber) != 0;
  out.number = r.u32le();
  if (!r.ok()) return std::nullopt;
  out.data = r.rest();
  return out;
}

}  // namespace ginnel::node
