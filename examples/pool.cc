// A pool of workers without a leader: every member holds the same list of jobs and knows the same
// members, and from both each finds by itself whose a job is. Nobody assigns, nobody is asked.
//
// usage: pool NAME MEMBER…       (all members, NAME among them; each does jobs 0 to 99 together)
//
// 1. Each job belongs to the member with the highest hash of (member, job): rendezvous hashing.
// 2. A member does its jobs and sends each result to all others, acknowledged.
// 3. When a member does not take a message, it counts as gone: its open jobs belong to the next
//    highest hash. Two members may do a job while one of them does not know yet; the results are
//    the same.
// 4. Who has all results prints their sum, and stays while others have not said that they have
//    them.
#include <ginnel/ginnel.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <span>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr int kJobs = 100;
constexpr auto kPatience = 60s;

// FNV-1a: the same at every member, whatever compiled it.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash ^ hash >> 29;
}

long work_on(int job) { return long{job} * job; }  // what would take a while

class Pool {
 public:
  Pool(ginnel::Node& node, std::string self, std::set<std::string> members)
      : node_(node), self_(std::move(self)), members_(std::move(members)) {}

  // Of the handlers' thread.
  void take(const std::string& from, const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (text == "done") {
      done_.insert(from);
      return;
    }
    int job = 0;
    long result = 0;
    if (std::istringstream(text) >> job >> result) results_[job] = result;
  }

  bool run(Clock::time_point end) {
    while (Clock::now() < end && !has_all()) {
      if (const auto job = next_own()) {
        finish(*job);
      } else {
        std::this_thread::sleep_for(20ms);
      }
      if (Clock::now() >= look_again_) look_for_others();
    }
    return has_all();
  }

  void part(Clock::time_point end) {
    tell("done");
    while (Clock::now() < end && !all_done()) {
      std::this_thread::sleep_for(50ms);
      if (Clock::now() >= look_again_) look_for_others();
    }
  }

  void print() const {
    long sum = 0;
    for (const auto& [job, result] : results_) sum += result;
    std::cout << "sum " << sum << " own " << own_ << std::endl;
  }

 private:
  const std::string& owner_of(int job) const {
    return *std::ranges::max_element(members_, {}, [&](const std::string& member) {
      return hash_of(member + "/" + std::to_string(job));
    });
  }
  bool has_all() const {
    const std::lock_guard lock(mutex_);
    return results_.size() == kJobs;
  }
  bool all_done() const {
    const std::lock_guard lock(mutex_);
    return std::ranges::all_of(members_, [&](const std::string& member) {
      return member == self_ || done_.contains(member);
    });
  }
  std::optional<int> next_own() const {
    const std::lock_guard lock(mutex_);
    for (int job = 0; job < kJobs; ++job) {
      if (!results_.contains(job) && owner_of(job) == self_) return job;
    }
    return std::nullopt;
  }
  void finish(int job) {
    const long result = work_on(job);
    {
      const std::lock_guard lock(mutex_);
      results_[job] = result;
      ++own_;
    }
    tell(std::to_string(job) + " " + std::to_string(result));
  }
  // Who did not take it in time is not there: gone, or not there yet. In both cases it is missed,
  // not needed: whoever comes later finds out likewise, and does what is left.
  void tell(const std::string& text) {
    std::vector<std::string> others(members_.begin(), members_.end());
    std::erase(others, self_);
    const auto failed =
        node_.send_acked(others, "pool", std::as_bytes(std::span(text)), 5s).get();
    for (const ginnel::Failed& one : failed) members_.erase(one.peer);
  }
  // Nothing to do, and results are missing: are those still there whose jobs they are?
  void look_for_others() {
    look_again_ = Clock::now() + 2s;
    tell("hello");
  }

  ginnel::Node& node_;
  const std::string self_;
  std::set<std::string> members_;
  Clock::time_point look_again_ = Clock::now() + 2s;
  mutable std::mutex mutex_;  // guards what follows
  std::map<int, long> results_;
  std::set<std::string> done_;
  int own_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: pool NAME MEMBER…\n";
    return 2;
  }
  auto node = ginnel::Node::join({.token = ginnel::token_from_env(), .name = argv[1]});
  if (!node) {
    std::cerr << "pool: " << node.error().text << "\n  " << node.error().hint << "\n";
    return 1;
  }
  const auto end = Clock::now() + kPatience;
  Pool pool(*node, argv[1], {argv + 2, argv + argc});
  const auto results = node->on_message("pool", [&](const ginnel::Message& message) {
    pool.take(std::string(message.from_name()), message.text());
  });
  const bool complete = pool.run(end);
  if (complete) {
    pool.print();
    pool.part(end);
  } else {
    std::cerr << "pool: not all jobs were done in time\n";
  }
  return complete ? 0 : 1;
}
