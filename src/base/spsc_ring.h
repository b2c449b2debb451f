// A bounded ring between exactly one producer thread and one consumer thread, without locks.
//
//   SpscRing<Item> ring(1024);
//   producer: if (!ring.push(item)) ++dropped;
//   consumer: while (auto item = ring.pop()) ...
//
// Allocates once, in the constructor.
#pragma once
#include <atomic>
#include <bit>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace ginnel {

template <class T>
class SpscRing {
 public:
  // Holds at least `capacity` items (rounded up to a power of two).
  explicit SpscRing(std::size_t capacity) : slots_(std::bit_ceil(capacity)) {}
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  // False: full, and `item` is untouched.
  bool push(T&& item) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == slots_.size()) return false;
    slots_[tail & (slots_.size() - 1)] = std::move(item);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  // The producer's: how many items it can push now, at least.
  std::size_t room() const {
    return slots_.size() - (tail_.load(std::memory_order_relaxed) -
                            head_.load(std::memory_order_acquire));
  }
  std::size_t capacity() const { return slots_.size(); }
  std::optional<T> pop() {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return std::nullopt;
    std::optional<T> out(std::move(slots_[head & (slots_.size() - 1)]));
    head_.store(head + 1, std::memory_order_release);
    return out;
  }
  bool empty() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

 private:
  static constexpr std::size_t kCacheLine = 64;
  std::vector<T> slots_;
  alignas(kCacheLine) std::atomic<std::size_t> head_{0};  // written by the consumer
  alignas(kCacheLine) std::atomic<std::size_t> tail_{0};  // written by the producer
};

}  // namespace ginnel
