// What became of a message that asked for it: TAKEN, NOT_TAKEN; and what its sender has given up:
// CANCEL, LANE_RESET (docs/wire/ginnel.md section 7).
//
//   TAKEN      0  message id u64le
//   NOT_TAKEN  0  message id u64le    8  code u8
//   LANE_RESET 0  lane u32le
#pragma once
#include "proto/control/control_message.h"

namespace ginnel::control {

// A program of the receiver has the message.
struct Taken {
  static constexpr ControlType kControlType = ControlType::kTaken;
  static constexpr std::size_t kBytesMax = 8;

  std::uint64_t message_id = 0;
  friend bool operator==(const Taken&, const Taken&) = default;
};
// Errors: kBadField (id 0).
Result<Taken, Drop> parse_taken(ConstBytes body);
void encode(const Taken& message, Writer& w);

// No program has it, nor will.
struct NotTaken {
  static constexpr ControlType kControlType = ControlType::kNotTaken;
  static constexpr std::size_t kBytesMax = 9;
  enum class Code : std::uint8_t {
    kNoSubscriber = 1,  // until the deadline
    kRefused = 2,
    kTooLarge = 3,  // for the receiver
    kStopping = 4,  // the receiver ends
  };

  std::uint64_t message_id = 0;
  Code code = Code::kNoSubscriber;
  friend bool operator==(const NotTaken&, const NotTaken&) = default;
};
// Errors: kBadField (id 0, unknown code).
Result<NotTaken, Drop> parse_not_taken(ConstBytes body);
void encode(const NotTaken& message, Writer& w);

// The sender has given up: if no program has taken the message yet, none shall.
struct Cancel {
  static constexpr ControlType kControlType = ControlType::kCancel;
  static constexpr std::size_t kBytesMax = 8;

  std::uint64_t message_id = 0;
  friend bool operator==(const Cancel&, const Cancel&) = default;
};
Result<Cancel, Drop> parse_cancel(ConstBytes body);
void encode(const Cancel& message, Writer& w);

// The owner sends nothing more in this lane: what has not arrived whole never will.
struct LaneReset {
  static constexpr ControlType kControlType = ControlType::kLaneReset;
  static constexpr std::size_t kBytesMax = 4;

  std::uint32_t lane = 0;
  friend bool operator==(const LaneReset&, const LaneReset&) = default;
};
// Errors: kBadField (lane 0: it lasts as long as the runs of the nodes).
Result<LaneReset, Drop> parse_lane_reset(ConstBytes body);
void encode(const LaneReset& message, Writer& w);

}  // namespace ginnel::control
