#include "proto/control/table.h"

#include <gtest/gtest.h>

#include "proto/control/acknowledgement.h"
#include "proto/control/renewal.h"
#include "proto/control/testing/fixtures.h"

namespace ginnel::control {
namespace {

using namespace testing;

Row row_of(ConstBytes certificate, ConstBytes info) {
  Row row;
  row.relay_index = 0x0a0b0c;
  row.seen_seconds = 2;
  row.certificate = certificate;
  row.network_info = info;
  return row;
}

class TableTest : public ::testing::Test {
 protected:
  const ByteVector certificate_ = encoded(node_certificate());
  const ByteVector info_ = encoded(node_info());
  const Row row_ = row_of(certificate_, info_);
};

TEST_F(TableTest, RowsRoundTrip) {
  const std::array rows{row_, row_};
  const ByteVector bytes = encoded(Rows{rows});
  EXPECT_EQ(bytes.size(), 2 * row_bytes(row_));
  RowReader reader(bytes);
  for (int i = 0; i < 2; ++i) {
    const auto row = reader.next();
    ASSERT_TRUE(row);
    EXPECT_EQ(to_hex(encoded(*row)), to_hex(encoded(row_)));
    EXPECT_EQ(*parse_certificate(row->certificate), node_certificate());
  }
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.drop());
}

TEST_F(TableTest, EveryTruncatedRowIsRefused) {
  const ByteVector bytes = encoded(row_);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    RowReader reader(ConstBytes(bytes).first(size));
    EXPECT_FALSE(reader.next()) << size;
    EXPECT_TRUE(reader.drop()) << size;
  }
}

TEST_F(TableTest, RefusesRowsWithUnknownFlagsStatesOrHashSizes) {
  ByteVector bytes = encoded(row_);
  for (const int flags : {0, 3, 8 + 1, 4 + 1}) {  // no state, no such state, reserved, hash of 190
    bytes[2] = static_cast<std::byte>(flags);
    RowReader reader(bytes);
    EXPECT_FALSE(reader.next()) << flags;
    EXPECT_EQ(reader.drop(), Drop::kBadField) << flags;
  }
}

TEST_F(TableTest, SnapshotMessagesRoundTrip) {
  const SnapshotBegin begin{{0x77, 41}, 1000};
  expect_exact_size(encoded(begin), parse_snapshot_begin);
  EXPECT_EQ(*parse_snapshot_begin(encoded(begin)), begin);
  const SnapshotEnd end{41};
  expect_exact_size(encoded(end), parse_snapshot_end);
  EXPECT_EQ(*parse_snapshot_end(encoded(end)), end);
  const SnapshotRequest request{{0x77, 40}};
  expect_exact_size(encoded(request), parse_snapshot_request);
  EXPECT_EQ(*parse_snapshot_request(encoded(request)), request);
}

TEST_F(TableTest, DeltasRoundTrip) {
  Delta change;
  change.sequence = 42;
  change.op = Delta::Op::kChange;
  change.row = row_;
  const auto hash = certificate_hash(certificate_);
  change.row.certificate = hash;
  change.row.certificate_by_hash = true;
  Delta remove;
  remove.sequence = 43;
  remove.op = Delta::Op::kRemove;
  remove.removed = node_id();
  for (const Delta& delta : {change, remove}) {
    expect_exact_size(encoded(delta), parse_delta);
    expect_round_trip(encoded(delta), parse_delta);
  }
  EXPECT_EQ(parse_delta(encoded(remove))->removed, node_id());
  ByteVector bad = encoded(remove);
  bad[4] = std::byte{4};
  EXPECT_EQ(parse_delta(bad).error(), Drop::kBadField);
}

TEST_F(TableTest, IssuersNeedADelegation) {
  expect_round_trip(encoded(Issuer{hub_certificate()}), parse_issuer);
  EXPECT_EQ(parse_issuer(encoded(Issuer{node_certificate()})).error(), Drop::kBadField);
}

TEST_F(TableTest, GreatestRowFitsADelta) {
  Row row = row_;
  const ByteVector certificate(Certificate::kBytesMax);
  const ByteVector info(NetworkInfo::kBytesMax);
  row.certificate = certificate;
  row.network_info = info;
  EXPECT_EQ(row_bytes(row), Row::kBytesMax);
  Delta delta;
  delta.row = row;
  EXPECT_FALSE(message_bytes(delta).empty());
}

// Section 7: a changed row costs at most 400 bytes, and a snapshot of 1000 nodes 300 KB.
TEST_F(TableTest, SnapshotOfAThousandNodesIsAtMost300KB) {
  Certificate certificate = unsigned_node_certificate();
  certificate.name = "node-1000";
  sign_certificate(certificate, network(), hub_identity());
  NetworkInfo info = node_info();
  info.candidates.resize(1);
  info.candidates.push_back(info.candidates[0]);
  const ByteVector certificate_bytes = encoded(certificate);
  const ByteVector info_bytes = encoded(info);
  const std::vector<Row> rows(1000, row_of(certificate_bytes, info_bytes));
  std::size_t total = message_bytes(SnapshotBegin{}).size() + message_bytes(SnapshotEnd{}).size() +
                      message_bytes(Issuer{hub_certificate()}).size();
  std::span<const Row> rest = rows;
  while (!rest.empty()) {
    const std::size_t count = rows_that_fit(rest);
    ASSERT_GT(count, 0u);
    const ByteVector bytes = message_bytes(Rows{rest.first(count)});
    ASSERT_FALSE(bytes.empty());
    total += bytes.size();
    rest = rest.subspan(count);
  }
  EXPECT_LE(total, 300'000u);
  Delta delta;
  delta.row = rows[0];
  EXPECT_LE(message_bytes(delta).size(), 400u);
  RecordProperty("snapshot_bytes", static_cast<int>(total));
  RecordProperty("row_bytes", static_cast<int>(row_bytes(rows[0])));
  EXPECT_EQ(row_bytes(rows[0]), 290u);  // as the document says
}

TEST(Renewal, RoundTrips) {
  Renew renew{node_session(), 7, {}};
  sign_renew(renew, node_identity(), network(), hub_session());
  expect_exact_size(encoded(renew), parse_renew);
  EXPECT_EQ(*parse_renew(encoded(renew)), renew);
  expect_round_trip(encoded(Renewed{node_chain()}), parse_renewed);
  const NotRenewed no{RefusedCode::kRevoked};
  expect_exact_size(encoded(no), parse_not_renewed);
  EXPECT_EQ(*parse_not_renewed(encoded(no)), no);
}

TEST(Renewal, SignatureBindsKeySerialNetworkAndHub) {
  Renew renew{node_session(), 7, {}};
  sign_renew(renew, node_identity(), network(), hub_session());
  const auto key = public_of(node_identity());
  EXPECT_TRUE(verify_renew(renew, key, network(), hub_session()));
  EXPECT_FALSE(verify_renew(renew, key, network(), node_session()));
  EXPECT_FALSE(verify_renew(renew, public_of(hub_identity()), network(), hub_session()));
  ++renew.serial;
  EXPECT_FALSE(verify_renew(renew, key, network(), hub_session()));
}

TEST(Acknowledgements, RoundTripAndRefuseIdZero) {
  expect_exact_size(encoded(Taken{5}), parse_taken);
  EXPECT_EQ(*parse_taken(encoded(Taken{5})), Taken{5});
  EXPECT_EQ(parse_taken(encoded(Taken{0})).error(), Drop::kBadField);
  expect_exact_size(encoded(Cancel{5}), parse_cancel);
  EXPECT_EQ(parse_cancel(encoded(Cancel{5}))->message_id, 5u);
  EXPECT_EQ(parse_cancel(encoded(Cancel{0})).error(), Drop::kBadField);
  expect_exact_size(encoded(LaneReset{5}), parse_lane_reset);
  EXPECT_EQ(*parse_lane_reset(encoded(LaneReset{5})), LaneReset{5});
  EXPECT_EQ(parse_lane_reset(encoded(LaneReset{0})).error(), Drop::kBadField);
  const NotTaken no{6, NotTaken::Code::kStopping};
  expect_exact_size(encoded(no), parse_not_taken);
  EXPECT_EQ(*parse_not_taken(encoded(no)), no);
  ByteVector bad = encoded(no);
  bad[8] = std::byte{5};
  EXPECT_EQ(parse_not_taken(bad).error(), Drop::kBadField);
}

TEST(ControlReader, ReadsMessagesHoweverTheStreamIsCut) {
  ByteVector stream = message_bytes(Taken{5});
  const ByteVector second = message_bytes(SnapshotRequest{{1, 2}});
  stream.insert(stream.end(), second.begin(), second.end());
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    ControlReader reader;
    std::vector<ControlType> types;
    for (ConstBytes rest = stream; !rest.empty();) {
      rest = rest.subspan(reader.feed(rest.first(std::min(step, rest.size()))));
      if (reader.ready()) types.push_back(reader.take().header.type);
    }
    EXPECT_EQ(types, (std::vector{ControlType::kTaken, ControlType::kSnapshotRequest})) << step;
  }
}

TEST(ControlReader, EndsAtALengthAboveTheLimit) {
  ControlReader reader;
  const auto stream = *from_hex("0201000400ff");  // 262145
  EXPECT_EQ(reader.feed(stream), kControlHeaderBytes);
  EXPECT_EQ(reader.drop(), Drop::kTooLong);
  EXPECT_EQ(reader.feed(stream), 0u);
}

}  // namespace
}  // namespace ginnel::control
