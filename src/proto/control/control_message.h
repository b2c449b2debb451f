// Control messages: tables, certificates, revocations and acknowledgements, one after another on
// the reliable lane 0 (docs/wire/ginnel.md section 7).
//
//   ControlReader reader;
//   reader.feed(bytes_from_kcp);
//   if (reader.ready()) { auto whole = reader.take(); dispatch(whole.header.type, whole.body); }
//
//   const ByteVector bytes = message_bytes(SnapshotRequest{held});   // into KCP
//
//    0         1                      5
//    +---------+----------------------+------
//    | type u8 | length u32le         | body
//    +---------+----------------------+------
#pragma once
#include "base/writer.h"
#include "proto/control/framed_reader.h"

namespace ginnel::control {

enum class ControlType : std::uint8_t {
  kSnapshotBegin = 0x01,
  kRows = 0x02,
  kSnapshotEnd = 0x03,
  kDelta = 0x04,
  kSnapshotRequest = 0x05,
  kRevocations = 0x06,
  kRevocationsRequest = 0x07,
  kRenew = 0x08,
  kRenewed = 0x09,
  kTaken = 0x0a,
  kNotTaken = 0x0b,
  kHubs = 0x0c,
  kIssuer = 0x0d,
  kNotRenewed = 0x0e,
  kCancel = 0x0f,
  kLaneReset = 0x19,
};

inline constexpr std::size_t kControlHeaderBytes = 5;
inline constexpr std::size_t kControlMessageBytesMax = std::size_t{256} << 10;

struct ControlHeader {
  static constexpr std::size_t kBytes = kControlHeaderBytes;

  ControlType type{};  // may be one that nobody assigned: count and skip it
  std::uint32_t size = 0;

  // Errors: kTooLong; the session ends.
  static Result<ControlHeader, Drop> parse(ConstBytes bytes);
  std::size_t body_size() const { return size; }
};

using ControlReader = FramedReader<ControlHeader>;

// A message whose body `encode` writes, in at most kBytesMax bytes.
template <class T>
concept ControlBody = requires(const T& body, Writer& w) {
  { T::kControlType } -> std::convertible_to<ControlType>;
  { T::kBytesMax } -> std::convertible_to<std::size_t>;
  encode(body, w);
};

// Header and body. Empty: the message exceeds its limit, which is the caller's mistake.
template <ControlBody T>
ByteVector message_bytes(const T& body) {
  static_assert(T::kBytesMax <= kControlMessageBytesMax);
  ByteVector out(kControlHeaderBytes + T::kBytesMax);
  Writer w(Bytes(out).subspan(kControlHeaderBytes));
  encode(body, w);
  if (!w.ok()) return {};
  Writer(out)
      .u8(static_cast<std::uint8_t>(T::kControlType))
      .u32le(static_cast<std::uint32_t>(w.size()));
  out.resize(kControlHeaderBytes + w.size());
  return out;
}

}  // namespace ginnel::control
