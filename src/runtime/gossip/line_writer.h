// Lines to a descriptor that may stall (a pipe whose reader sleeps), so that the member never does.
//
//   LineWriter out(STDOUT_FILENO);
//   out.write("{...}");
//
// A thread of its own writes; what it can't write waits, up to kLinesMax, and then is dropped and
// counted. Each line goes out at once.
#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace ginnel::gossip {

class LineWriter {
 public:
  static constexpr std::size_t kLinesMax = 16'384;

  explicit LineWriter(int fd);
  // Writes what waits, if that takes no longer than a second.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  void write(std::string line);  // without its newline
  std::uint64_t dropped() const;

 private:
  void run();
  bool put(std::string_view bytes);
  bool is_over() const;

  const int fd_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point end_;
  std::uint64_t dropped_ = 0;
  std::thread thread_;
};

}  // namespace ginnel::gossip
