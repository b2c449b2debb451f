// Why a frame was refused: one counter each. None changes state.
#pragma once
#include <cstdint>

namespace ginnel::path {

enum class Drop : std::uint8_t {
  kTooShort,            // ends within a field
  kTrailing,            // bytes follow the last field
  kBadField,            // a value that the format does not allow
  kTooMany,             // more than kCandidatesMax candidates
  kReplayed,            // this transaction, or probe, was seen before
  kUnknownTransaction,  // an answer to nothing that we sent
  kWrongAddress,        // an answer from elsewhere than the probe went to
  kDisabled,            // a call-me-maybe while punching is switched off
  kTooManyPairs,        // a probe from one more address than we keep
  kCount,
};

}  // namespace ginnel::path
