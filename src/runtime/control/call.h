// What a Responder holds: the daemon's side of one request. It outlives its connection when the
// daemon answers late, and then does nothing.
#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <mutex>

#include "runtime/control/message.h"
#include "runtime/control/server.h"

namespace ginnel::control_api {

class Connection;

// What all connections of one server share. Lives as long as any Call, so that a late answer finds
// a context to post to, though nobody runs it any more.
struct Service {
  boost::asio::io_context context{1};
  Handler handler;
  ServerOptions options;
};

class Call : public Exchange {
 public:
  Call(std::shared_ptr<Service> service, std::weak_ptr<Connection> connection)
      : service_(std::move(service)), connection_(std::move(connection)) {}
  ~Call() override;

  void answer(int status, std::string body, std::string_view content_type) override;
  void begin() override;
  bool write_line(std::string line) override;
  void finish() override;
  bool cancelled() const override { return cancelled_; }
  void on_cancelled(std::function<void()> handler) override;
  void on_taken(std::function<void(std::size_t)> handler) override;

  // From the connection, on the server's thread.
  void cancel();
  void taken(std::size_t lines);
  void written(std::size_t bytes) { unread_bytes_ -= bytes; }

 private:
  enum class Phase : std::uint8_t { kOpen, kStreaming, kDone };
  template <class Action>
  void post(Action action);  // runs on the server's thread, if the connection is still there

  std::shared_ptr<Service> service_;
  std::weak_ptr<Connection> connection_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<std::size_t> unread_bytes_ = 0;  // of lines given to us, not yet to the kernel
  std::mutex mutex_;                           // guards what follows, never held in a handler
  Phase phase_ = Phase::kOpen;
  std::function<void()> cancel_handler_;
  std::function<void(std::size_t)> taken_handler_;
};

}  // namespace ginnel::control_api
