#include "proto/control/table.h"

#include "base/assert.h"
#include "proto/control/fields.h"

namespace ginnel::control {
namespace {

constexpr std::size_t kRowLengthBytes = 2;
constexpr std::size_t kRowFixedBytes = 8;  // flags, relay index, seen
constexpr std::uint8_t kStateMask = 3;
constexpr std::uint8_t kByHash = 4;

bool is_state(int state) { return state == 1 || state == 2; }

Result<Row, Drop> parse_row(ConstBytes bytes) {
  Reader r(bytes);
  Row row;
  const std::uint8_t flags = r.u8();
  row.relay_index = r.u24le();
  row.seen_seconds = r.u32le();
  row.certificate = read_blob16(r);
  row.network_info = read_blob16(r);
  if (!is_state(flags & kStateMask) || (flags & ~(kStateMask | kByHash)) != 0) return refused(r);
  row.state = static_cast<Row::State>(flags & kStateMask);
  row.certificate_by_hash = (flags & kByHash) != 0;
  if (row.certificate_by_hash && row.certificate.size() != crypto::kDigestBytes) {
    return refused(r);
  }
  if (row.certificate.size() > Certificate::kBytesMax ||
      row.network_info.size() > NetworkInfo::kBytesMax) {
    return refused(r, Drop::kTooLong);
  }
  return finish(r, row);
}

Result<Row, Drop> parse_only_row(ConstBytes bytes) {
  Reader r(bytes);
  const ConstBytes row = read_blob16(r);
  if (!r.ok()) return Fail(Drop::kTooShort);
  if (r.remaining() > 0) return Fail(Drop::kTrailing);
  return parse_row(row);
}

}  // namespace

std::size_t row_bytes(const Row& row) {
  return kRowLengthBytes + kRowFixedBytes + 2 + row.certificate.size() + 2 +
         row.network_info.size();
}

void encode(const Row& row, Writer& w) {
  GINNEL_ASSERT(row.certificate.size() <= Certificate::kBytesMax);
  GINNEL_ASSERT(row.network_info.size() <= NetworkInfo::kBytesMax);
  w.u16le(static_cast<std::uint16_t>(row_bytes(row) - kRowLengthBytes));
  w.u8(static_cast<std::uint8_t>(static_cast<std::uint8_t>(row.state) |
                                 (row.certificate_by_hash ? kByHash : 0)));
  w.u24le(row.relay_index).u32le(row.seen_seconds);
  write_blob16(w, row.certificate);
  write_blob16(w, row.network_info);
}

std::optional<Row> RowReader::next() {
  if (drop_ || reader_.remaining() == 0) return std::nullopt;
  const ConstBytes bytes = read_blob16(reader_);
  const auto row = reader_.ok() ? parse_row(bytes) : Fail(Drop::kTooShort);
  if (!row) {
    drop_ = row.error();
    return std::nullopt;
  }
  return *row;
}

Result<SnapshotBegin, Drop> parse_snapshot_begin(ConstBytes body) {
  Reader r(body);
  SnapshotBegin out;
  out.position.epoch = r.u64le();
  out.position.sequence = r.u32le();
  out.row_count = r.u32le();
  return finish(r, out);
}

void encode(const SnapshotBegin& message, Writer& w) {
  w.u64le(message.position.epoch).u32le(message.position.sequence).u32le(message.row_count);
}

void encode(const Rows& message, Writer& w) {
  for (const Row& row : message.rows) encode(row, w);
}

std::size_t rows_that_fit(std::span<const Row> rows) {
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (count < rows.size() && bytes + row_bytes(rows[count]) <= Rows::kBytesMax) {
    bytes += row_bytes(rows[count++]);
  }
  return count;
}

Result<SnapshotEnd, Drop> parse_snapshot_end(ConstBytes body) {
  Reader r(body);
  const SnapshotEnd out{r.u32le()};
  return finish(r, out);
}

void encode(const SnapshotEnd& message, Writer& w) { w.u32le(message.sequence); }

Result<Delta, Drop> parse_delta(ConstBytes body) {
  Reader r(body);
  Delta out;
  out.sequence = r.u32le();
  const std::uint8_t op = r.u8();
  if (op < 1 || op > 3) return refused(r);
  out.op = static_cast<Delta::Op>(op);
  if (out.op == Delta::Op::kRemove) {
    const auto id = read_id(r);
    if (!id) return refused(r);
    out.removed = *id;
    return finish(r, out);
  }
  const auto row = parse_only_row(r.rest());
  if (!row) return Fail(row.error());
  out.row = *row;
  return out;
}

void encode(const Delta& delta, Writer& w) {
  w.u32le(delta.sequence).u8(static_cast<std::uint8_t>(delta.op));
  if (delta.op == Delta::Op::kRemove) {
    write_id(w, delta.removed);
  } else {
    encode(delta.row, w);
  }
}

Result<SnapshotRequest, Drop> parse_snapshot_request(ConstBytes body) {
  Reader r(body);
  SnapshotRequest out;
  out.held.epoch = r.u64le();
  out.held.sequence = r.u32le();
  return finish(r, out);
}

void encode(const SnapshotRequest& message, Writer& w) {
  w.u64le(message.held.epoch).u32le(message.held.sequence);
}

Result<Issuer, Drop> parse_issuer(ConstBytes body) {
  auto certificate = parse_certificate(body);
  if (!certificate) return Fail(certificate.error());
  if (!certificate->delegation) return Fail(Drop::kBadField);
  return Issuer{*std::move(certificate)};
}

void encode(const Issuer& message, Writer& w) { encode(message.certificate, w); }

}  // namespace ginnel::control
