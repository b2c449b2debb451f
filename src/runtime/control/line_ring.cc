#include "runtime/control/line_ring.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

namespace ginnel::control_api {

struct LineRing::Shared {
  std::mutex mutex;
  // Guarded by the mutex. It is held while lines are written, so that a reader misses none between
  // those that are kept and those that come.
  std::deque<std::string> kept;
  std::size_t bytes = 0;  // of kept
  std::uint64_t next = 0;
  std::map<std::uint64_t, Responder> followers;
};

LineRing::LineRing() : shared_(std::make_shared<Shared>()) {}

void LineRing::add(std::string line) const {
  const std::lock_guard lock(shared_->mutex);
  auto& [mutex, kept, bytes, next, followers] = *shared_;
  // One that does not read is dropped by write_line.
  std::erase_if(followers, [&](const auto& entry) { return !entry.second.write_line(line); });
  bytes += line.size();
  kept.push_back(std::move(line));
  while (kept.size() > kLinesMax || bytes > kBytesMax) {
    bytes -= kept.front().size();
    kept.pop_front();
  }
}

void LineRing::stream(const Responder& responder, const Wanted& wanted) const {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    const auto& kept = shared_->kept;
    for (std::size_t i = kept.size() - std::min(wanted.last, kept.size()); i < kept.size(); ++i) {
      if (!responder.write_line(kept[i])) return;
    }
    responder.begin();
    if (!wanted.follow || shared_->followers.size() >= kFollowersMax) return responder.finish();
    number = shared_->next++;
    shared_->followers.emplace(number, responder);
  }
  // Outside the lock: it may be called at once. Weak, since the ring holds the responder.
  responder.on_cancelled([weak = std::weak_ptr(shared_), number] {
    const auto shared = weak.lock();
    if (!shared) return;
    const std::lock_guard lock(shared->mutex);
    shared->followers.erase(number);
  });
}

void LineRing::finish() const {
  const std::lock_guard lock(shared_->mutex);
  for (const auto& [number, responder] : shared_->followers) responder.finish();
  shared_->followers.clear();
}

}  // namespace ginnel::control_api
