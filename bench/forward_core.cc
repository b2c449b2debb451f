// What the forwarding plane costs a packet, without any system call: split and seal, open and join,
// checksum, route. Figures are per datagram and per byte of inner packets.
//
//   build/release/bench/forward_core_bench --benchmark_filter=Seal
#include <benchmark/benchmark.h>

#include "node/forward/checksum.h"
#include "node/forward/testing/link.h"

namespace {

using namespace ginnel;
using namespace ginnel::forward;

constexpr std::size_t kSuperPayload = 60'000;
constexpr std::size_t kSegment = 1340;

void count(benchmark::State& state, std::size_t datagrams, std::size_t bytes) {
  state.SetItemsProcessed(static_cast<std::int64_t>(datagrams));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void ChecksumOf(benchmark::State& state) {
  const ByteVector bytes(static_cast<std::size_t>(state.range(0)), std::byte{0x5a});
  for (auto _ : state) {
    ChecksumSum sum;
    sum.add(bytes);
    benchmark::DoNotOptimize(sum.sum());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ChecksumOf)->Arg(40)->Arg(1392)->Arg(65'000);

void Route(benchmark::State& state) {
  TableContents contents;
  for (std::uint32_t i = 0; i < state.range(0); ++i) {
    contents.destinations.emplace_back();
    contents.routes.push_back({Prefix::host(Address::v4(0x0a000000 + i * 7)), i});
  }
  const auto range = static_cast<std::uint32_t>(state.range(0) * 7);
  const ForwardingTable table(std::move(contents));
  std::uint32_t at = 1;
  for (auto _ : state) {
    at = at * 1664525 + 1013904223;
    benchmark::DoNotOptimize(table.route(Address::v4(0x0a000000 + at % range)));
  }
}
BENCHMARK(Route)->Arg(10)->Arg(1000)->Arg(65'000);

// Without sealing.
void Split(benchmark::State& state) {
  testing::Link link;
  const ByteVector read =
      testing::as_read(make_packet(link.shape(state.range(0) == 4, true, kSuperPayload)), kSegment);
  ByteVector out(2000);
  std::size_t datagrams = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto packet = TunPacket::parse(read);
    for (std::size_t i = 0; i < packet->segments(); ++i) bytes += packet->write_segment(i, out);
    datagrams += packet->segments();
    benchmark::ClobberMemory();
  }
  count(state, datagrams, bytes);
}
BENCHMARK(Split)->Arg(4)->Arg(6);

void SplitAndSeal(benchmark::State& state) {
  testing::Link link({.relayed = state.range(0) != 0});
  const ByteVector read =
      testing::as_read(make_packet(link.shape(true, true, kSuperPayload)), kSegment);
  Transmitter transmitter;
  SealedBatch batch;
  std::size_t datagrams = 0;
  for (auto _ : state) {
    (void)transmitter.push(link.now, *link.tables[0], read, batch);
    for (const SealedMessage& message : batch.messages()) datagrams += message.segments;
    batch.clear();
  }
  count(state, datagrams, datagrams * (kSegment + 52));
}
BENCHMARK(SplitAndSeal)->ArgName("relayed")->Arg(0)->Arg(1);

void SealOne(benchmark::State& state) {
  testing::Link link;
  const auto payload = static_cast<std::size_t>(state.range(0)) - 28;
  const ByteVector read = testing::as_plain_read(make_packet(link.shape(true, false, payload)));
  Transmitter transmitter;
  SealedBatch batch;
  for (auto _ : state) {
    if (transmitter.push(link.now, *link.tables[0], read, batch).outcome == Outcome::kFull) {
      batch.clear();
    }
  }
  const auto n = static_cast<std::size_t>(state.iterations());
  count(state, n, n * static_cast<std::size_t>(state.range(0)));
}
BENCHMARK(SealOne)->Arg(64)->Arg(1392);

// Sealing anew each time, since a datagram opens once, outside the measured time.
void OpenAndJoin(benchmark::State& state) {
  testing::Link link;
  const ByteVector read =
      testing::as_read(make_packet(link.shape(true, true, kSuperPayload)), kSegment);
  Transmitter transmitter;
  SealedBatch batch;
  Receiver receiver;
  ReceiveOutput out({.tcp = true, .udp = true});
  std::size_t datagrams = 0;
  for (auto _ : state) {
    state.PauseTiming();
    batch.clear();
    (void)transmitter.push(link.now, *link.tables[0], read, batch);
    state.ResumeTiming();
    for (const SealedMessage& message : batch.messages()) {
      const ReceivedRun run{testing::endpoint_of(0), {}, message.bytes, message.segment_size};
      receiver.handle(link.now, *link.tables[1], run, 0, out);
      datagrams += message.segments;
    }
    for (std::size_t i = 0, n = out.tun.finish(); i < n; ++i) {
      benchmark::DoNotOptimize(out.tun.parts(i));
    }
    out.clear();
  }
  count(state, datagrams, datagrams * (kSegment + 52));
}
BENCHMARK(OpenAndJoin);

}  // namespace

BENCHMARK_MAIN();
