// Table E: who is online at a hub. A snapshot, then numbered deltas (docs/wire/ginnel.md
// section 7).
//
//   SNAPSHOT_BEGIN   0  table epoch u64le   8  table sequence u32le   12  row count u32le
//   ROWS             rows up to the end of the body
//   SNAPSHOT_END     0  table sequence u32le
//   DELTA            0  table sequence u32le   4  op u8   5  row, or for remove an id
//   SNAPSHOT_REQUEST 0  table epoch u64le   8  table sequence u32le
//
//   row              0  length u16le of what follows     2  flags u8
//                    3  relay index u24le                6  seen u32le (s ago)
//                   10  certificate or its hash blob16   …  network info blob16
//
// Rows borrow from the message they were read from.
#pragma once
#include <optional>
#include <span>

#include "proto/control/chain.h"
#include "proto/control/control_message.h"
#include "proto/control/network_info.h"
#include "proto/control/registration.h"

namespace ginnel::control {

struct Row {
  enum class State : std::uint8_t { kOnline = 1, kUnreachable = 2 };
  static constexpr std::size_t kBytesMax =
      2 + 8 + 2 + Certificate::kBytesMax + 2 + NetworkInfo::kBytesMax;

  State state = State::kOnline;
  std::uint32_t relay_index = 0;   // 0: cannot be relayed to now
  std::uint32_t seen_seconds = 0;  // before now
  bool certificate_by_hash = false;
  ConstBytes certificate;   // the leaf, or the 32 bytes of its hash
  ConstBytes network_info;  // parse_network_info
};
std::size_t row_bytes(const Row& row);
void encode(const Row& row, Writer& w);

// Iterates over the rows of a ROWS body, or reads the one of a DELTA.
class RowReader {
 public:
  explicit RowReader(ConstBytes rows) : reader_(rows) {}
  // nullopt: the end, or a row that is refused, and with it the rest (drop()).
  std::optional<Row> next();
  std::optional<Drop> drop() const { return drop_; }

 private:
  Reader reader_;
  std::optional<Drop> drop_;
};

struct SnapshotBegin {
  static constexpr ControlType kControlType = ControlType::kSnapshotBegin;
  static constexpr std::size_t kBytesMax = 16;

  TablePosition position;
  std::uint32_t row_count = 0;
  friend bool operator==(const SnapshotBegin&, const SnapshotBegin&) = default;
};
Result<SnapshotBegin, Drop> parse_snapshot_begin(ConstBytes body);
void encode(const SnapshotBegin& message, Writer& w);

struct Rows {
  static constexpr ControlType kControlType = ControlType::kRows;
  static constexpr std::size_t kBytesMax = std::size_t{16} << 10;

  std::span<const Row> rows;
};
void encode(const Rows& message, Writer& w);
// How many of `rows`, from the first on, one ROWS message holds.
std::size_t rows_that_fit(std::span<const Row> rows);

struct SnapshotEnd {
  static constexpr ControlType kControlType = ControlType::kSnapshotEnd;
  static constexpr std::size_t kBytesMax = 4;

  std::uint32_t sequence = 0;
  friend bool operator==(const SnapshotEnd&, const SnapshotEnd&) = default;
};
Result<SnapshotEnd, Drop> parse_snapshot_end(ConstBytes body);
void encode(const SnapshotEnd& message, Writer& w);

struct Delta {
  enum class Op : std::uint8_t { kAdd = 1, kChange = 2, kRemove = 3 };
  static constexpr ControlType kControlType = ControlType::kDelta;
  static constexpr std::size_t kBytesMax = 5 + Row::kBytesMax;

  std::uint32_t sequence = 0;
  Op op = Op::kAdd;
  Row row;     // add, change
  Id removed;  // remove
};
Result<Delta, Drop> parse_delta(ConstBytes body);
void encode(const Delta& delta, Writer& w);

struct SnapshotRequest {
  static constexpr ControlType kControlType = ControlType::kSnapshotRequest;
  static constexpr std::size_t kBytesMax = 12;

  TablePosition held;
  friend bool operator==(const SnapshotRequest&, const SnapshotRequest&) = default;
};
Result<SnapshotRequest, Drop> parse_snapshot_request(ConstBytes body);
void encode(const SnapshotRequest& message, Writer& w);

// A delegated hub's certificate, sent once per session before the first row whose leaf it signed.
struct Issuer {
  static constexpr ControlType kControlType = ControlType::kIssuer;
  static constexpr std::size_t kBytesMax = Certificate::kBytesMax;

  Certificate certificate;
};
// Errors: those of parse_certificate; kBadField (no delegation).
Result<Issuer, Drop> parse_issuer(ConstBytes body);
void encode(const Issuer& message, Writer& w);

}  // namespace ginnel::control
