// A stream of the daemon's for as long as it is wanted: one thread, which connects again when the
// daemon went away.
//
//   auto feed = Feed::start(link, {"POST", "/v1/sub", body}, [](const json& line) { … });
//   feed->stop();
//
// Connecting again: after kAgainFirst, then twice as long each time up to kAgainMax, for ever. What
// came on a stream and was not taken when it ended is lost to this program, as it is to `ginnel
// sub`; who sent it with an acknowledgement is told so.
#pragma once
#include <condition_variable>
#include <memory>

#include "io/wakeup.h"
#include "runtime/attached/link.h"

namespace ginnel::runtime {

class Feed {
 public:
  using OnLine = std::function<void(const nlohmann::json& line)>;  // called as a handler is
  static constexpr Nanoseconds kAgainFirst = 100ms;
  static constexpr Nanoseconds kAgainMax = 5s;
  // start() waits so long for the daemon to have begun; then it goes on behind.
  static constexpr Nanoseconds kBeginTime = 5s;

  // Null: no thread or descriptor is left.
  static std::shared_ptr<Feed> start(std::shared_ptr<Link> link, control_api::Query query,
                                     OnLine on_line);
  // Returns when no handler of it runs and none will; in a handler at once. Once.
  void stop();

 private:
  Feed(std::shared_ptr<Link> link, control_api::Query query, OnLine on_line, io::Wakeup wakeup)
      : link_(std::move(link)),
        query_(std::move(query)),
        on_line_(std::move(on_line)),
        wakeup_(std::move(wakeup)) {}
  void run();
  // True: it was open for a while.
  bool follow();
  void took(control_api::Client& client, std::string_view line);
  void note_begun();
  void pause(Nanoseconds time) const;

  const std::shared_ptr<Link> link_;
  const control_api::Query query_;
  const OnLine on_line_;
  const io::Wakeup wakeup_;  // ends waiting; never acknowledged
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::condition_variable begun_changed_;
  bool begun_ = false;  // guarded by mutex_: open, or refused
  std::thread thread_;
};

}  // namespace ginnel::runtime
