// The structures that spare the sender a walk over its buffer, against the walk.
#include "proto/kcp/sender.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"

namespace ginnel::kcp {
namespace {

TEST(KcpByteRing, KeepsBytesByOffsetOverTheWrapAndWhileItGrows) {
  ByteRing ring(10'000);
  Rng rng = Rng::from_seed(1);
  ByteVector all;
  while (all.size() < 200'000) {
    ByteVector piece(rng.below(ring.room() + 1));
    rng.fill(piece);
    ring.append(piece);
    all.insert(all.end(), piece.begin(), piece.end());
    ASSERT_EQ(ring.end(), all.size());
    const std::uint64_t offset = ring.begin() + rng.below(ring.size() + 1);
    ByteVector out(rng.below(ring.end() - offset + 1));
    ring.copy(offset, out);
    ASSERT_TRUE(equal(out, ConstBytes(all).subspan(offset, out.size())));
    ring.drop_until(offset);
  }
}

TEST(KcpRtoHeap, GivesDeadlinesInOrderWhateverWasRemoved) {
  OutSegments segments;
  segments.reserve(Sn(0), 512);
  RtoHeap heap(segments);
  Rng rng = Rng::from_seed(2);
  std::map<std::uint32_t, Instant> model;
  for (int round = 0; round < 20'000; ++round) {
    const auto sn = static_cast<std::uint32_t>(rng.below(512));
    if (model.contains(sn)) {
      heap.remove(Sn(sn));
      heap.remove(Sn(sn));
      model.erase(sn);
    } else {
      model[sn] = Instant{static_cast<std::int64_t>(rng.below(1000))};
      heap.push(Sn(sn), model[sn]);
    }
    ASSERT_EQ(heap.size(), model.size());
    const auto first =
        std::ranges::min_element(model, {}, [](auto& entry) { return entry.second; });
    ASSERT_EQ(heap.next(), first == model.end() ? std::nullopt : std::optional(first->second));
    if (rng.chance(0.1) && heap.next()) {
      ASSERT_EQ(heap.take_expired(*heap.next() - 1ns), std::nullopt);
      const Instant at = *heap.next();
      const auto taken = heap.take_expired(at);
      ASSERT_EQ(model.at(taken->value()), at);
      model.erase(taken->value());
    }
  }
}

// ikcp_parse_fastack as the reference writes it: each segment with sn < maxack and ts <= latest.
struct FastAckWalk {
  struct Row {
    Timestamp ts;
    std::uint32_t xmit = 0;
    std::uint32_t fastack = 0;
  };
  std::map<std::uint32_t, Row> rows;

  void pass(std::uint32_t sn, Timestamp ts) {
    for (auto& [row_sn, row] : rows) {
      if (row_sn < sn && row.ts <= ts) ++row.fastack;
    }
  }
  std::vector<std::uint32_t> take_lost(std::uint32_t threshold, std::uint32_t limit) {
    std::vector<std::uint32_t> out;
    for (auto& [sn, row] : rows) {
      if (row.fastack < threshold || row.xmit > limit) continue;
      row.fastack = 0;
      out.push_back(sn);
    }
    return out;
  }
};

void send_both(OutSegments& segments, FastAck& fast, FastAckWalk& walk, std::uint32_t sn,
               std::uint32_t clock) {
  OutSegment& segment = segments.at(Sn(sn));
  segment.ts = Timestamp(clock);
  ++segment.xmit;
  segment.due = false;
  fast.sent(Sn(sn));
  walk.rows[sn].ts = Timestamp(clock);
  ++walk.rows[sn].xmit;
}

TEST(KcpFastAck, FindsTheSameLossesAsTheWalkOfTheReference) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    OutSegments segments;
    segments.reserve(Sn(0), 4096);
    const Config config =
        Config::compatible(Conv(1)).nodelay(1, 10, 1 + static_cast<int>(seed % 3), 1);
    FastAck fast(segments, config);
    FastAckWalk walk;
    Rng rng = Rng::from_seed(seed);
    std::uint32_t next = 0;
    std::size_t losses = 0;
    for (std::uint32_t clock = 0; clock < 1500; ++clock) {
      if (next < 4096) send_both(segments, fast, walk, next++, clock);
      const auto sn = static_cast<std::uint32_t>(rng.below(next));
      if (rng.chance(0.1) && walk.rows.contains(sn)) {  // a timeout
        send_both(segments, fast, walk, sn, clock);
      }
      if (rng.chance(0.7)) {  // an acknowledgement, and its pass
        const auto acked = next - 1 - static_cast<std::uint32_t>(rng.below(std::min(next, 40u)));
        const Timestamp ts(clock - static_cast<std::uint32_t>(rng.below(std::min(clock + 1, 50u))));
        if (walk.rows.erase(acked) > 0) fast.forget(Sn(acked));
        walk.pass(acked, ts);
        fast.pass(Sn(acked), ts);
      }
      std::vector<std::uint32_t> lost;
      fast.take_pending([&](Sn at) { lost.push_back(at.value()); });
      std::ranges::sort(lost);
      ASSERT_EQ(lost, walk.take_lost(config.fast_resend, config.fast_resend_limit)) << clock;
      losses += lost.size();
      for (const std::uint32_t at : lost) send_both(segments, fast, walk, at, clock);
    }
    EXPECT_GT(losses, 100u);
  }
}

}  // namespace
}  // namespace ginnel::kcp
