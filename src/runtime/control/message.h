// What goes over the control socket, as its two ends see it.
//
// The handler gets a Request and a Responder. The Responder is a handle: it copies, and any thread
// may use any copy at any time, so the handler passes it to the daemon's own thread and returns.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ginnel::control_api {

struct Request {
  std::string method;  // "GET", "POST"
  std::string target;  // "/v1/why/bob"
  std::string body;    // JSON, or empty
  uid_t uid = 0;       // of the process at the other end (SO_PEERCRED)
};

// One connection's side of an answer; the server implements it. Every call is thread-safe.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void answer(int status, std::string body, std::string_view content_type) = 0;
  virtual void begin() = 0;
  virtual bool write_line(std::string line) = 0;
  virtual void finish() = 0;
  virtual bool cancelled() const = 0;
  virtual void on_cancelled(std::function<void()> handler) = 0;
  virtual void on_taken(std::function<void(std::size_t lines)> handler) = 0;
};

// Answers once, or streams lines; when the last copy goes and nothing was answered, the client gets
// an E_INTERNAL error, so no client waits for ever.
class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  // The whole answer. Later calls do nothing.
  void answer(int status, std::string body) const {
    exchange_->answer(status, std::move(body), "application/json");
  }
  // As answer(200, …), but what Prometheus reads instead of JSON.
  void metrics(std::string body) const {
    exchange_->answer(200, std::move(body), "text/plain; version=0.0.4");
  }
  void ok(std::string body) const { answer(200, std::move(body)); }

  // Starts a stream at once, so that its reader knows before the first line comes.
  void begin() const { exchange_->begin(); }
  // One line of a stream (without its newline); the first one starts it with status 200. False: the
  // client is gone, or has more than kStreamBytesMax unread and is dropped.
  bool write_line(std::string line) const { return exchange_->write_line(std::move(line)); }
  // Ends the stream.
  void finish() const { exchange_->finish(); }

  // The client went away before it had its answer.
  bool cancelled() const { return exchange_->cancelled(); }
  // Called once, on the server's thread; at once if that has happened already.
  void on_cancelled(std::function<void()> handler) const {
    exchange_->on_cancelled(std::move(handler));
  }
  // Called on the server's thread each time the client has said that it has dealt with `lines` more
  // of the stream's lines (one byte each, see README). `sub` uses it: taken means printed.
  void on_taken(std::function<void(std::size_t lines)> handler) const {
    exchange_->on_taken(std::move(handler));
  }

 private:
  std::shared_ptr<Exchange> exchange_;
};

using Handler = std::function<void(const Request&, Responder)>;

}  // namespace ginnel::control_api
