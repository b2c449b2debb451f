// What a Memberlist is behind its handle: a driver on a thread of its own, the calls of other
// threads, and the outcomes that they wait for.
//
// with() runs work on the member's thread and waits for it; from inside a handler at once. Handlers
// are called on that thread, without any lock held.
#pragma once
#include <ginnel/memberlist.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "runtime/gossip/member_driver.h"

namespace ginnel::gossip {

class MemberlistImpl {
 public:
  // Addresses given to set(). At the limit: kTooLarge.
  static constexpr std::size_t kSeedsMax = 256;

  static Result<std::unique_ptr<MemberlistImpl>, Error> create(MemberlistOptions options);
  ~MemberlistImpl() { shutdown(); }
  MemberlistImpl(const MemberlistImpl&) = delete;
  MemberlistImpl& operator=(const MemberlistImpl&) = delete;

  using Work = std::function<void(swim::Agent&, Instant)>;
  // False: shut down.
  bool with(const Work& work);
  // Until it holds (asked after each event), or the time is over. False: it never held.
  bool wait_until(const std::function<bool()>& condition, Nanoseconds limit);
  bool is_own_thread() const { return owner_.load() == std::this_thread::get_id(); }
  void shutdown();

  Result<std::size_t, Error> join(const std::vector<std::string>& addresses, Nanoseconds limit);
  Result<void, Error> leave(Nanoseconds limit);
  Result<void, Error> send_reliable(std::string_view name, ConstBytes message, Nanoseconds limit);
  Result<void, Error> add_seed(const std::string& address);

 private:
  struct Call {
    const Work* work;
    bool done = false;
    bool ran = false;
  };
  struct Joining {
    bool done = false;
    std::optional<Error> failed;
  };

  explicit MemberlistImpl(Delegate delegate) : delegate_(std::move(delegate)) {}
  Result<void, Error> open(MemberlistOptions options);
  void run();
  void run_calls();
  void handle(const swim::AgentEvent& event);
  void handle(const swim::Event& event);
  void handle_outcome(const swim::Event& event);
  void veto(const swim::AskAlive& ask);
  void veto(const swim::AskMerge& ask);
  void settle_join(const Endpoint& via, std::optional<Error> failed);
  void join_seeds();

  Delegate delegate_;
  std::unique_ptr<MemberDriver> driver_;
  std::thread thread_;
  std::atomic<std::thread::id> owner_{};

  // The member's thread only.
  std::map<Endpoint, Joining> joining_;
  std::map<swim::StreamId, std::optional<bool>> sending_;  // whether it arrived, once known
  std::vector<Endpoint> seeds_;
  io::Alarm seeds_alarm_;
  bool gone_ = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Call*> calls_;
  bool running_ = false;
  std::uint64_t events_ = 0;
};

MemberRow row_of(const swim::MemberInfo& member);

}  // namespace ginnel::gossip
