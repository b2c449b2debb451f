#include "runtime/attached/feed.h"

#include <poll.h>

#include "runtime/signals_blocked.h"

namespace ginnel::runtime {

std::shared_ptr<Feed> Feed::start(std::shared_ptr<Link> link, control_api::Query query,
                                  OnLine on_line) {
  auto wakeup = io::Wakeup::make();
  if (!wakeup) return nullptr;
  std::shared_ptr<Feed> out(
      new Feed(std::move(link), std::move(query), std::move(on_line), *std::move(wakeup)));
  {
    const SignalsBlocked blocked;
    // Shared: one that is stopped by its own handler ends after it was let go.
    out->thread_ = std::thread([out] { out->run(); });
  }
  std::unique_lock lock(out->mutex_);
  // In a handler nobody else's handler may be waited for.
  if (!out->link_->in_handler()) {
    out->begun_changed_.wait_for(lock, kBeginTime, [&] { return out->begun_; });
  }
  return out;
}

void Feed::stop() {
  stopped_.store(true);
  wakeup_.notify();
  // In a handler, this one's thread waits for its turn, and will see that it is too late.
  if (link_->in_handler()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void Feed::run() {
  Nanoseconds again = kAgainFirst;
  while (!stopped_.load()) {
    if (follow()) again = kAgainFirst;
    note_begun();
    pause(again);
    again = std::min(again * 2, kAgainMax);
  }
}

bool Feed::follow() {
  auto client = link_->connect();
  if (!client) return false;
  client->set_interrupt_fd(wakeup_.fd());
  bool was_open = false;
  (void)client->stream(
      query_,
      [&](std::string_view line) {
        took(*client, line);
        return !stopped_.load();
      },
      [&] {
        was_open = true;
        note_begun();
      });
  return was_open;
}

// The daemon is told that a line was taken when its handler has returned.
void Feed::took(control_api::Client& client, std::string_view line) {
  const auto document = nlohmann::json::parse(line, nullptr, false);
  bool handled = false;
  link_->handle([&] {
    if (stopped_.load()) return;
    if (document.is_object()) on_line_(document);
    handled = true;
  });
  if (handled) client.taken();
}

void Feed::note_begun() {
  const std::lock_guard lock(mutex_);
  begun_ = true;
  begun_changed_.notify_all();
}

void Feed::pause(Nanoseconds time) const {
  pollfd wait{wakeup_.fd(), POLLIN, 0};
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(time).count();
  if (!stopped_.load()) ::poll(&wait, 1, static_cast<int>(whole));
}

}  // namespace ginnel::runtime
