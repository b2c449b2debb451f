// A lane: one direction of one channel, a KCP stream that begins with OPEN and then carries
// messages, requests or replies (docs/wire/ginnel.md section 9).
//
//   LaneReader lane;
//   lane.feed(bytes_from_kcp);
//   if (lane.ready()) deliver(lane.open()->channel, lane.take());
//
//   OPEN      0  kind u8    1  priority u8    2  channel text8
//   message   0  length u32le    4  message id u64le    12  data
#pragma once
#include <string>
#include <string_view>

#include "base/writer.h"
#include "proto/control/framed_reader.h"

namespace ginnel::control {

inline constexpr std::size_t kChannelBytesMax = 64;
inline constexpr std::size_t kMessageBytesMax = std::size_t{16} << 20;
inline constexpr std::size_t kMessageHeaderBytes = 12;
inline constexpr std::uint8_t kPriorityMax = 7;  // the lowest
inline constexpr std::uint32_t kControlLane = 0;

struct LaneOpen {
  enum class Kind : std::uint8_t {
    kMessages = 0,
    kRequests = 1,  // messages whose id is the request's
    kReplies = 2,   // messages whose id is the request's, their first byte a ReplyCode
  };
  static constexpr std::size_t kBytesMax = 3 + kChannelBytesMax;

  Kind kind = Kind::kMessages;
  std::uint8_t priority = 0;  // 0: highest
  std::string channel;        // 1..64 bytes
  friend bool operator==(const LaneOpen&, const LaneOpen&) = default;
};
Result<LaneOpen, Drop> parse_lane_open(ConstBytes bytes);
void encode(const LaneOpen& open, Writer& w);

struct MessageHeader {
  static constexpr std::size_t kBytes = kMessageHeaderBytes;

  std::uint32_t size = 0;        // of the data, <= kMessageBytesMax
  std::uint64_t message_id = 0;  // 0: no acknowledgement wanted

  // Errors: kTooLong.
  static Result<MessageHeader, Drop> parse(ConstBytes bytes);
  std::size_t body_size() const { return size; }
};
void encode(const MessageHeader& header, Writer& w);

// The first byte of a reply's data.
enum class ReplyCode : std::uint8_t {
  kAnswered = 0,  // the answer follows
  kFailed = 1,    // who replies could not
  kDenied = 2,    // who replies would not
};

using MessageReader = FramedReader<MessageHeader>;

// Reads a whole lane, OPEN first. At most one message is held, as in FramedReader.
class LaneReader {
 public:
  // Returns how many bytes it took: all, unless a message is ready or the lane has failed.
  std::size_t feed(ConstBytes bytes);
  bool ready() const { return messages_.ready(); }
  MessageReader::Whole take() { return messages_.take(); }
  // Bytes until something is decided, as in FramedReader.
  std::size_t missing() const {
    if (failed()) return 0;
    return open_ ? messages_.missing() : opening_.missing();
  }
  std::size_t whole_bytes() const { return messages_.whole_bytes(); }
  // Of the message that is ready. Only when ready().
  const MessageHeader& head() const { return messages_.head(); }
  // What the lane is; nullptr until OPEN has arrived.
  const LaneOpen* open() const { return open_ ? &*open_ : nullptr; }
  std::optional<Drop> drop() const { return drop_ ? drop_ : messages_.drop(); }
  bool failed() const { return drop().has_value(); }

 private:
  struct OpenHeader {
    static constexpr std::size_t kBytes = 3;
    std::array<std::byte, kBytes> bytes{};
    std::size_t channel_size = 0;
    static Result<OpenHeader, Drop> parse(ConstBytes header);
    std::size_t body_size() const { return channel_size; }
  };
  std::size_t feed_open(ConstBytes bytes);

  FramedReader<OpenHeader> opening_;  // until open_ is set
  std::optional<LaneOpen> open_;
  MessageReader messages_;  // from then on
  std::optional<Drop> drop_;
};

// What follows the two epochs in a KCP or KCP_BACK frame: KCP segments of one lane (the conv of the
// first).
struct LanePacket {
  std::uint32_t lane = 0;
  ConstBytes segments;
};
inline constexpr std::size_t kKcpSegmentHeaderBytes = 24;
// Errors: kTooShort, when no KCP segment fits.
Result<LanePacket, Drop> parse_lane_packet(ConstBytes body);

}  // namespace ginnel::control
