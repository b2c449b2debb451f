// Publication with real threads, which live in runtime only. Under the thread sanitizer this is the
// proof that nothing is freed while it is used; elsewhere the marks below show it.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "node/forward/publication.h"

namespace ginnel::forward {
namespace {

constexpr std::uint64_t kAlive = 0x616c697665;
constexpr int kPublications = 20'000;

struct Part {  // as a key pair: named by a table, retired after it
  std::uint64_t mark = kAlive;
  ~Part() { mark = 0; }
};
struct Table {
  std::uint64_t mark = kAlive;
  std::uint64_t number = 0;
  Part* part = nullptr;
  ~Table() { mark = 0; }
};

TEST(PublicationThreads, NothingIsFreedWhileAThreadUsesIt) {
  Publication<Table> tables;
  auto* reader = &tables.add_reader();
  auto* other = &tables.add_reader();
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> wrong{0};
  const auto read = [&](auto& seat) {
    std::uint64_t last = 0;
    while (!stop.load()) {
      const Table* table = seat.enter();
      for (int i = 0; i < 10; ++i) {
        if (table->mark != kAlive) ++wrong;
        if (table->part != nullptr && table->part->mark != kAlive) ++wrong;
      }
      if (table->number < last) ++wrong;
      last = table->number;
      if (last % 3 == 0) seat.leave();
    }
    seat.leave();
  };
  std::thread a([&] { read(*reader); });
  std::thread b([&] { read(*other); });
  std::unique_ptr<Part> part;
  std::size_t retired_max = 0;
  for (int i = 1; i <= kPublications; ++i) {
    auto next_part = std::make_unique<Part>();
    auto next = std::make_unique<Table>();
    next->number = static_cast<std::uint64_t>(i);
    next->part = next_part.get();
    tables.publish(std::move(next));
    if (part) tables.retire(std::move(part));
    part = std::move(next_part);
    tables.collect();
    retired_max = std::max(retired_max, tables.retired());
    if (i % 64 == 0) std::this_thread::yield();
  }
  stop.store(true);
  a.join();
  b.join();
  EXPECT_EQ(wrong.load(), 0u);
  EXPECT_GT(retired_max, 0u);
  tables.collect();
  EXPECT_EQ(tables.retired(), 0u);
}

}  // namespace
}  // namespace ginnel::forward
