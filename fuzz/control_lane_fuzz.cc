#include "base/assert.h"
#include "proto/control/acknowledgement.h"
#include "proto/control/hub_list.h"
#include "proto/control/lane.h"
#include "proto/control/renewal.h"
#include "proto/control/table.h"

namespace {

using namespace ginnel;
using namespace ginnel::control;

template <class T>
void check(const Result<T, Drop>& parsed, ConstBytes body) {
  if (!parsed) return;
  ByteVector out(body.size());
  GINNEL_ASSERT(write(*parsed, out) == body.size());
  GINNEL_ASSERT(equal(out, body));
}

void check_rows(ConstBytes body) {
  RowReader rows(body);
  ByteVector out(body.size());
  Writer w(out);
  while (const auto row = rows.next()) encode(*row, w);
  GINNEL_ASSERT(w.ok());
  GINNEL_ASSERT(equal(w.written(), body.first(w.size())));
  if (!rows.drop()) GINNEL_ASSERT(w.size() == body.size());
}

// Nobody signs for the all-zero key.
void check_renew(ConstBytes body) {
  const auto renew = parse_renew(body);
  check(renew, body);
  if (!renew) return;
  GINNEL_ASSERT(!verify_renew(*renew, crypto::IdentityPublic(), crypto::NetworkPublic(),
                              crypto::SessionPublic()));
}

void dispatch(ControlType type, ConstBytes body) {
  switch (type) {
    case ControlType::kSnapshotBegin:
      return check(parse_snapshot_begin(body), body);
    case ControlType::kRows:
      return check_rows(body);
    case ControlType::kSnapshotEnd:
      return check(parse_snapshot_end(body), body);
    case ControlType::kDelta:
      return check(parse_delta(body), body);
    case ControlType::kSnapshotRequest:
      return check(parse_snapshot_request(body), body);
    case ControlType::kRevocations:
      return check(parse_revocations(body), body);
    case ControlType::kRevocationsRequest:
      return check(parse_revocations_request(body), body);
    case ControlType::kCancel:
      return check(parse_cancel(body), body);
    case ControlType::kRenew:
      return check_renew(body);
    case ControlType::kRenewed:
      return check(parse_renewed(body), body);
    case ControlType::kTaken:
      return check(parse_taken(body), body);
    case ControlType::kNotTaken:
      return check(parse_not_taken(body), body);
    case ControlType::kHubs:
      return check(parse_hubs(body), body);
    case ControlType::kIssuer:
      return check(parse_issuer(body), body);
    case ControlType::kLaneReset:
      return check(parse_lane_reset(body), body);
    case ControlType::kNotRenewed:
      return check(parse_not_renewed(body), body);
  }
}

// Feeds `stream` in pieces of `step` bytes; a reader takes every byte or has failed.
template <class Reader, class Deliver>
void feed(Reader& reader, ConstBytes stream, std::size_t step, Deliver deliver) {
  while (!stream.empty() && !reader.failed()) {
    const std::size_t taken = reader.feed(stream.first(std::min(step, stream.size())));
    GINNEL_ASSERT(taken > 0 || reader.failed());
    stream = stream.subspan(taken);
    GINNEL_ASSERT((reader.missing() == 0) == (reader.ready() || reader.failed()));
    GINNEL_ASSERT(!reader.ready() || reader.whole_bytes() > 0);
    if (reader.ready()) deliver(reader.take());
  }
}

}  // namespace

// The first byte: bit 0 the control lane or another one, the rest how the stream is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ConstBytes stream = std::as_bytes(std::span(data, size)).subspan(1);
  const std::size_t step = std::size_t{data[0]} / 2 + 1;
  if (data[0] % 2 == 0) {
    ControlReader reader;
    feed(reader, stream, step,
         [](const ControlReader::Whole& whole) { dispatch(whole.header.type, whole.body); });
  } else {
    LaneReader lane;
    feed(lane, stream, step, [](const MessageReader::Whole& whole) {
      GINNEL_ASSERT(whole.body.size() == whole.header.size);
    });
  }
  return 0;
}
