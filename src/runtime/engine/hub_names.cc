#include "runtime/engine/hub_names.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "io/clock.h"
#include "runtime/resolve.h"
#include "runtime/signals_blocked.h"

namespace ginnel::runtime {
namespace {

bool is_literal(const std::string& host_port) { return Endpoint::parse(host_port).has_value(); }

}  // namespace

struct HubNames::Shared {
  struct Hub {
    std::size_t index = 0;
    std::vector<std::string> texts;
  };
  std::vector<Hub> hubs;  // constant
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by the mutex:
  io::EventLoop* loop = nullptr;  // null: the owner is gone
  Found found;
  bool urgent = true;
  bool now = false;
};

HubNames::HubNames(io::EventLoop& loop, std::vector<std::vector<std::string>> hubs,
                   Resolver resolver, Found found) {
  auto shared = std::make_shared<Shared>();
  for (std::size_t i = 0; i < hubs.size(); ++i) {
    if (!std::ranges::all_of(hubs[i], is_literal)) shared->hubs.push_back({i, std::move(hubs[i])});
  }
  if (shared->hubs.empty()) return;
  shared->loop = &loop;
  shared->found = std::move(found);
  shared_ = shared;
  if (resolver == Resolver::kInline) {
    alarm_ = loop.add_alarm([this] { resolve_inline(); });
    loop.set(*alarm_, io::now());
    return;
  }
  const SignalsBlocked blocked;
  std::thread([shared] { run(shared); }).detach();
}

HubNames::~HubNames() {
  if (!shared_) return;
  if (alarm_) shared_->loop->remove(*alarm_);
  const std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
  shared_->changed.notify_all();
}

void HubNames::set_urgent(bool urgent) {
  if (!shared_) return;
  const std::lock_guard lock(shared_->mutex);
  if (std::exchange(shared_->urgent, urgent) == urgent) return;
  if (alarm_ && urgent) shared_->loop->set(*alarm_, io::now() + kUrgentAgain);
  shared_->changed.notify_all();
}

void HubNames::resolve_inline() {
  resolve_all(shared_);
  shared_->loop->set(*alarm_, io::now() + (shared_->urgent ? kUrgentAgain : kAgain));
}

void HubNames::look_now() {
  if (!shared_) return;
  const std::lock_guard lock(shared_->mutex);
  shared_->now = true;
  shared_->changed.notify_all();
}

void HubNames::run(const std::shared_ptr<Shared>& shared) {
  for (;;) {
    resolve_all(shared);
    std::unique_lock lock(shared->mutex);
    const auto start = std::chrono::steady_clock::now();
    // It becomes urgent at once, and at most every kUrgentAgain.
    const auto over = [&] {
      const auto waited = std::chrono::steady_clock::now() - start;
      return !shared->loop || shared->now || waited >= kAgain || (shared->urgent && waited >= kUrgentAgain);
    };
    while (!over()) {
      shared->changed.wait_until(lock, start + (shared->urgent ? kUrgentAgain : kAgain));
    }
    shared->now = false;
    if (!shared->loop) return;
  }
}

void HubNames::resolve_all(const std::shared_ptr<Shared>& shared) {
  for (const Shared::Hub& hub : shared->hubs) {
    std::vector<Endpoint> endpoints;
    for (const std::string& text : hub.texts) {
      const auto found = resolve(text);
      endpoints.insert(endpoints.end(), found.begin(), found.end());
    }
    const std::lock_guard lock(shared->mutex);
    if (!shared->loop) return;
    const auto tell = [weak = std::weak_ptr(shared), index = hub.index, endpoints] {
      // On the loop's thread, where the owner lives and dies.
      const auto alive = weak.lock();
      if (alive && alive->loop) alive->found(index, endpoints);
    };
    shared->loop->post(tell);
  }
}

}  // namespace ginnel::runtime
