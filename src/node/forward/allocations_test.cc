// docs/design.md section 3: no allocation on the hot path, counted over 100 000 packets.
#include <gtest/gtest.h>

#include "crypto/testing/allocations.h"
#include "node/forward/testing/link.h"

namespace ginnel::forward {
namespace {

TEST(Forwarding, AllocatesNothingPerPacket) {
  if (!ginnel::testing::allocations_are_counted()) GTEST_SKIP() << "a sanitizer has its own malloc";
  testing::Link link;
  Transmitter transmitter;
  SealedBatch batch;
  Receiver receiver;
  ReceiveOutput out({.tcp = true, .udp = true});
  const ByteVector super = testing::as_read(make_packet(link.shape(true, true, 60'000)), 1340);
  const ByteVector single = testing::as_plain_read(make_packet(link.shape(false, false, 200)));
  testing::Shape lost_shape = link.shape(true, true, 20);
  lost_shape.destination = Address::v4(9, 9, 9, 9);
  const ByteVector lost = testing::as_plain_read(make_packet(lost_shape));

  const std::uint64_t before = ginnel::testing::allocations();
  std::size_t datagrams = 0;
  std::size_t written = 0;
  while (datagrams < 100'000) {
    for (const ByteVector* read : {&super, &single, &lost}) {
      (void)transmitter.push(link.now, *link.tables[0], *read, batch);
    }
    for (const SealedMessage& message : batch.messages()) {
      const ReceivedRun run{testing::endpoint_of(0), {}, message.bytes, message.segment_size};
      EXPECT_EQ(receiver.handle(link.now, *link.tables[1], run, 0, out), message.bytes.size());
      datagrams += message.segments;
    }
    for (std::size_t i = 0, n = out.tun.finish(); i < n; ++i) written += out.tun.parts(i).size();
    out.clear();
    batch.clear();
  }
  EXPECT_EQ(ginnel::testing::allocations() - before, 0u);
  EXPECT_GT(written, datagrams);
}

}  // namespace
}  // namespace ginnel::forward
