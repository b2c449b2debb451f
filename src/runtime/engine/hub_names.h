// Keeps the addresses of hubs that are known by name: resolved at once, every minute, and every few
// seconds while a hub does not answer, on a thread of its own, since a resolver may block for long.
//
//   HubNames names(loop, {{"hub.example.net:7700"}}, HubNames::Resolver::kThread,
//                  [&](std::size_t hub, auto endpoints) { … });
//   names.set_urgent(true);
//
// `found` runs on the loop's thread. The loop outlives this object; the thread may outlive both,
// inside the resolver, and then touches neither.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "io/event_loop.h"

namespace ginnel::runtime {

class HubNames {
 public:
  using Found = std::function<void(std::size_t hub, std::vector<Endpoint> endpoints)>;
  static constexpr Nanoseconds kAgain = 60s;
  static constexpr Nanoseconds kUrgentAgain = 2s;

  enum class Resolver {
    kThread,  // of its own
    kInline,  // the loop's, which stands still while the resolver answers
  };

  // Per hub its "HOST:PORT" texts. Hubs of literal addresses only are not resolved; if all are,
  // there is no thread.
  HubNames(io::EventLoop& loop, std::vector<std::vector<std::string>> hubs, Resolver resolver,
           Found found);
  ~HubNames();
  HubNames(const HubNames&) = delete;

  // True: a hub does not answer; its name may mean another address by now.
  void set_urgent(bool urgent);
  // Resolves now, whenever it was done last.
  void look_now();

 private:
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared);
  void resolve_inline();
  static void resolve_all(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;  // with the thread; null: nothing to resolve
  std::optional<io::Alarm> alarm_;  // of kInline
};

}  // namespace ginnel::runtime
