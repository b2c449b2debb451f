// DATAGRAM: data for a channel, at most once and in no order (docs/wire/ginnel.md section 9).
//
//     0  channel text8 (1..64)    …  data, to the end
//
// Never allocates; borrows from the frame.
#pragma once
#include <ginnel/result.h>

#include <string_view>

#include "proto/control/frame.h"

namespace ginnel::control {

struct Datagram {
  static constexpr FrameType kType = FrameType::kDatagram;

  std::string_view channel;
  ConstBytes data;
};
// Errors: kBadField (no channel name), kTooLong (a name of more than 64 bytes).
Result<Datagram, Drop> parse_datagram(ConstBytes body);
void encode(const Datagram& datagram, Writer& w);

}  // namespace ginnel::control
