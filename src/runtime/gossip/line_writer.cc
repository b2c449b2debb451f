#include "runtime/gossip/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace ginnel::gossip {
namespace {

using namespace std::chrono_literals;

constexpr auto kFlushTime = 1s;
constexpr int kPollMilliseconds = 100;
// pipe(7): a pipe that is writable takes so much without blocking.
constexpr std::size_t kChunkBytes = 4096;

}  // namespace

LineWriter::LineWriter(int fd) : fd_(fd), thread_([this] { run(); }) {}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    end_ = std::chrono::steady_clock::now() + kFlushTime;
  }
  changed_.notify_one();
  thread_.join();
}

void LineWriter::write(std::string line) {
  {
    const std::lock_guard lock(mutex_);
    if (lines_.size() == kLinesMax) {
      ++dropped_;
      return;
    }
    lines_.push_back(std::move(line) + "\n");
  }
  changed_.notify_one();
}

std::uint64_t LineWriter::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

bool LineWriter::is_over() const {
  const std::lock_guard lock(mutex_);
  return stopping_ && std::chrono::steady_clock::now() >= end_;
}

void LineWriter::run() {
  while (true) {
    std::string line;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !lines_.empty(); });
      if (lines_.empty()) return;
      line = std::move(lines_.front());
      lines_.pop_front();
    }
    if (!put(line)) return;
  }
}

// False: nobody will read any more.
bool LineWriter::put(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{fd_, POLLOUT, 0};
    const int count = ::poll(&ready, 1, kPollMilliseconds);
    if (count == 0) {
      if (is_over()) return false;
      continue;
    }
    if (count < 0 && errno != EINTR) return false;
    const ssize_t size = ::write(fd_, bytes.data(), std::min(bytes.size(), kChunkBytes));
    if (size > 0)
      bytes.remove_prefix(static_cast<std::size_t>(size));
    else if (errno != EINTR && errno != EAGAIN)
      return false;
  }
  return true;
}

}  // namespace ginnel::gossip
