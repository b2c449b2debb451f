// Whom an event of the core is for: the program's handlers and its acknowledged sends.
//
// Owned by the driver's thread. Handlers may subscribe, cancel and send at will, also themselves.
#pragma once
#include <ginnel/message.h>
#include <ginnel/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/backend.h"
#include "node/node.h"

namespace ginnel::api {

// `id`: to answer it by, with node::Node::reply.
using RequestHandler = std::function<void(const Message&, std::uint64_t id)>;

// Handlers by number, called in the order in which they came.
template <class Handler>
class HandlerList {
 public:
  void add(std::uint64_t number, Handler handler) {
    handlers_.emplace(number, std::make_shared<Handler>(std::move(handler)));
  }
  bool remove(std::uint64_t number) { return handlers_.erase(number) != 0; }
  bool empty() const { return handlers_.empty(); }
  template <class... Args>
  void call_first(const Args&... args) const {
    if (handlers_.empty()) return;
    const std::shared_ptr<Handler> handler = handlers_.begin()->second;
    (*handler)(args...);
  }
  template <class... Args>
  void call(const Args&... args) const {
    if (handlers_.empty()) return;
    const std::uint64_t last = handlers_.rbegin()->first;  // what a handler adds waits for the next
    for (auto it = handlers_.begin(); it != handlers_.end() && it->first <= last;) {
      const std::uint64_t number = it->first;
      // Shared: a handler may end its own subscription, and so itself, while it runs.
      const std::shared_ptr<Handler> handler = it->second;
      (*handler)(args...);
      it = handlers_.upper_bound(number);
    }
  }

 private:
  std::map<std::uint64_t, std::shared_ptr<Handler>> handlers_;
};

class Dispatcher {
 public:
  void handle(node::Node& core, Instant now, const node::Event& event);

  // Each returns the number to remove it by.
  std::uint64_t add_message(node::Node& core, std::string_view channel, MessageHandler handler);
  std::uint64_t add_request(node::Node& core, std::string_view channel, RequestHandler handler);
  std::uint64_t add_undelivered(UndeliveredHandler handler);
  std::uint64_t add_path(PathHandler handler);
  std::uint64_t add_member(MemberHandler handler);
  std::uint64_t add_writable(WritableHandler handler);
  void remove(node::Node& core, std::uint64_t number);

  // Starts an acknowledged send; `done` gets its result.
  void send_acked(node::Node& core, Instant now, const std::vector<std::string>& peers,
                  std::string_view channel, ConstBytes data, Nanoseconds deadline,
                  AckedDone done);
  // Asks; `done` gets the answer.
  void request(node::Node& core, Instant now, std::string_view peer, std::string_view channel,
               ConstBytes data, Nanoseconds deadline, RequestDone done);
  // The node is closed: nothing will be acknowledged or answered any more.
  void fail_all();

 private:
  struct AckedCall {
    AckedDone done;
    std::vector<std::string> open;  // peers not settled, as the caller named them
    std::vector<Failed> failed;
  };

  void deliver(node::Node& core, Instant now, const Id& from, const std::string& channel);
  void deliver_requests(node::Node& core, Instant now, const Id& from, const std::string& channel);
  void settle(const node::AckSettled& settled);
  void settle(node::Node& core, Instant now, const node::RequestSettled& settled);
  void report_undelivered(const node::Undelivered& message) const;
  void report_path(node::Node& core, Instant now, const Id& id) const;

  std::uint64_t next_ = 1;
  std::map<std::string, HandlerList<MessageHandler>, std::less<>> messages_;  // by channel
  std::map<std::string, HandlerList<RequestHandler>, std::less<>> requests_;  // by channel
  HandlerList<UndeliveredHandler> undelivered_;
  HandlerList<PathHandler> paths_;
  HandlerList<MemberHandler> members_;
  HandlerList<WritableHandler> writables_;
  struct Asked {
    RequestDone done;
    std::string channel;
  };
  std::map<std::uint64_t, Asked> asked_;      // the core bounds them likewise
  std::map<std::uint64_t, AckedCall> acked_;  // the core bounds them: node::kAckedSendsMax
};

}  // namespace ginnel::api
