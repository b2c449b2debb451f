// The verbs' side of the control socket: blocking, one request after the other.
//
//   auto client = Client::connect(places.socket).value();
//   auto status = client.call({"GET", "/v1/status"});        // the document's text
//   client.stream({"POST", "/v1/sub", body}, [](std::string_view line) { ...; return true; });
//
// An error answer of the daemon comes back as the Error it was made of. Not thread-safe.
#pragma once
#include <ginnel/error.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "io/fd.h"

namespace ginnel::control_api {

struct Query {
  std::string method;
  std::string target;
  std::string body = {};
};

class Client {
 public:
  // Errors: kNotRunning (no socket, or nobody behind it), kPermission.
  static Result<Client, Error> connect(const std::filesystem::path& path);
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  ~Client();

  // No answer within this is kTimeout. nullopt (the default): wait for ever; the daemon bounds it.
  void set_timeout(std::optional<std::chrono::nanoseconds> timeout) { timeout_ = timeout; }
  // Polled with the socket; when it becomes readable the wait ends with kCancelled. For ^C.
  void set_interrupt_fd(int fd) { interrupt_fd_ = fd; }

  // The answer's body. Errors: the daemon's own; kNotRunning (it went away), kTimeout, kCancelled.
  Result<std::string, Error> call(const Query& query);

  // Calls `on_line` for each line, without its newline, until it returns false or the stream ends.
  // Ends the connection. `on_open`: the daemon has begun to answer. Errors: as call.
  Result<void, Error> stream(const Query& query,
                             const std::function<bool(std::string_view)>& on_line,
                             const std::function<void()>& on_open = {});
  // From within on_line: tells the daemon that one more line has been dealt with.
  void taken();

  // A pidfd (pidfd_open(2)) of the daemon, readable once its process has ended. Empty: none can be
  // had, since it runs in another PID namespace or is this very process.
  io::Fd process() const;

 private:
  struct Head {
    int status = 0;
    bool chunked = false;
    std::size_t length = 0;
  };
  explicit Client(int fd) : fd_(fd) {}
  Result<void, Error> send(const Query& query);
  Result<void, Error> fill();  // reads more into in_; kNotRunning at the end
  Result<void, Error> wait(short events);
  Result<std::string, Error> read_until(std::string_view mark);
  Result<std::string, Error> read_bytes(std::size_t size);
  Result<Head, Error> read_head();
  Result<std::string, Error> read_chunk();  // empty: the last one
  Result<std::string, Error> read_body(const Head& head);

  int fd_ = -1;
  int interrupt_fd_ = -1;
  std::optional<std::chrono::nanoseconds> timeout_;
  std::string in_;  // received and not yet read
};

}  // namespace ginnel::control_api
