// What the parts of an attached node share: the way to the daemon, and whose turn it is.
//
//   Link link(places.socket);
//   auto status = link.call({"GET", "/v1/status"});   // a document, or the daemon's error
//   link.handle([&] { handler(message); });         // never two at once
//
// Any thread. Each call is a connection of its own, so that none is stale and a call that fails was
// not done twice; calls by call() are made one after the other, which keeps messages in order.
#pragma once
#include <ginnel/error.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/instant.h"
#include "runtime/control/client.h"

namespace ginnel::runtime {

class Link {
 public:
  // A daemon that does not answer a plain request in this time is broken: kTimeout.
  static constexpr Nanoseconds kAnswerTime = 20s;

  explicit Link(std::filesystem::path socket) : socket_(std::move(socket)) {}

  // Errors: the daemon's own; kNotRunning, kPermission, kTimeout, kClosed.
  Result<nlohmann::json, Error> call(const control_api::Query& query);
  // As call(), beside others, and with a time of its own.
  Result<nlohmann::json, Error> call_beside(const control_api::Query& query, Nanoseconds limit,
                                            int interrupt_fd = -1) const;
  Result<control_api::Client, Error> connect() const {
    return control_api::Client::connect(socket_);
  }

  // Runs `work` when no other is running, unless the node is closed.
  void handle(const std::function<void()>& work);
  // Is this the thread that a handler runs on?
  bool in_handler() const { return handling_.load() == std::this_thread::get_id(); }

  bool is_closed() const { return closed_.load(); }
  // After this no handler runs any more. Not from a handler.
  void close();

 private:
  const std::filesystem::path socket_;
  std::mutex calls_;     // held by call()
  std::mutex handlers_;  // held while one runs
  std::atomic<std::thread::id> handling_{};
  std::atomic<bool> closed_{false};
};

}  // namespace ginnel::runtime
