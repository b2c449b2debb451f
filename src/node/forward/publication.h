// How a table reaches the forwarding threads, and when what they no longer use may be freed.
//
//   Publication<ForwardingTable> tables;
//   auto& reader = tables.add_reader();                 // before its thread starts
//   thread:  { auto table = reader.enter(); use(*table); } reader.leave(); wait();
//   control: tables.publish(std::move(next));           // the old one is retired
//            tables.retire(std::move(key_pair));        // after the last table that names it
//            tables.collect();                          // now and then: frees
//
// Epochs: each retirement raises the epoch; a thread shows, when it enters, which epoch it has
// seen. What was retired at epoch e is freed when every thread that is inside has seen e.
// All calls but those of Reader belong to the control thread. Readers never wait nor allocate.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace ginnel::forward {

template <class T>
class Publication {
 public:
  static constexpr std::size_t kReadersMax = 8;

  // One forwarding thread's seat.
  class Reader {
   public:
    // The current value; it and all it names stay until leave() or the next enter().
    const T* enter() {
      // Sequentially consistent, as is everything here: either control sees this thread inside
      // before it frees, or this thread sees the new value.
      seen_.store(owner_->epoch_.load());
      return owner_->current_.load();
    }
    // Holds nothing any more.
    void leave() { seen_.store(kOutside); }

   private:
    friend class Publication;
    static constexpr std::uint64_t kOutside = UINT64_MAX;
    alignas(64) std::atomic<std::uint64_t> seen_{kOutside};
    const Publication* owner_ = nullptr;
  };

  explicit Publication(std::unique_ptr<const T> first = std::make_unique<const T>())
      : current_(first.release()) {}
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;
  // The readers' threads have ended.
  ~Publication() { delete current_.load(); }

  Reader& add_reader() {
    GINNEL_ASSERT(readers_used_ < kReadersMax);
    Reader& out = readers_[readers_used_++];
    out.owner_ = this;
    return out;
  }

  void publish(std::unique_ptr<const T> next) {
    GINNEL_ASSERT(next != nullptr);
    retire(std::unique_ptr<const T>(current_.exchange(next.release())));
  }
  // Freed when no thread can still use it. Bounded by how fast control makes things: threads leave
  // whenever they wait, and after each batch.
  template <class U>
  void retire(std::unique_ptr<U> object) {
    const std::uint64_t epoch = epoch_.fetch_add(1) + 1;
    retired_.push_back({epoch, std::make_unique<Holder<U>>(std::move(object))});
  }
  // How many were freed.
  std::size_t collect() {
    std::uint64_t seen_by_all = Reader::kOutside;
    for (std::size_t i = 0; i < readers_used_; ++i) {
      seen_by_all = std::min(seen_by_all, readers_[i].seen_.load());
    }
    std::size_t freed = 0;
    for (; !retired_.empty() && retired_.front().epoch <= seen_by_all; ++freed) {
      retired_.pop_front();
    }
    return freed;
  }
  std::size_t retired() const { return retired_.size(); }

 private:
  struct Held {
    virtual ~Held() = default;
  };
  template <class U>
  struct Holder : Held {
    explicit Holder(std::unique_ptr<U> o) : object(std::move(o)) {}
    std::unique_ptr<U> object;
  };
  struct Retired {
    std::uint64_t epoch;
    std::unique_ptr<Held> object;
  };

  std::atomic<const T*> current_;
  std::atomic<std::uint64_t> epoch_{0};
  std::array<Reader, kReadersMax> readers_;
  std::size_t readers_used_ = 0;
  std::deque<Retired> retired_;  // by epoch, ascending
};

}  // namespace ginnel::forward
