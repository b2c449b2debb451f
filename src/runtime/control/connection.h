// One client of the control socket, served by one thread.
//
// 1. A request is read and handed to the handler, with a Call as its Exchange.
// 2. While the answer is due it goes on reading: the end of the client cancels the call, and in a
//    stream each byte says "one line taken".
// 3. The answer is written; the connection waits for the next request. A stream ends it.
//
// Every wait has the one deadline_, except while the handler has the request.
#pragma once
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>

#include "runtime/control/call.h"
#include "runtime/control/server.h"

namespace ginnel::control_api {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Of a local or a TCP socket.
  using Socket = boost::asio::generic::stream_protocol::socket;

  // `on_closed`: called once, when the connection is gone.
  Connection(Socket socket, std::shared_ptr<Service> service, std::function<void()> on_closed);
  ~Connection();

  void read_request();
  void close();
  // The server ends: an answer or the end of a stream that is on its way may still go, for a second.
  void close_soon();

  // For Call, on the server's thread.
  void send_answer(int status, std::string body, const std::string& content_type);
  void begin_stream();
  void send_line(std::string line);
  void end_stream();

 private:
  using error_code = boost::system::error_code;
  enum class Phase : std::uint8_t { kReading, kHandling, kStreaming, kAnswered, kClosed };
  struct Chunk {
    std::string bytes;
    std::size_t line_bytes = 0;  // of the stream's own lines: what the client has not read
  };

  void on_request(error_code error);
  void refuse(int status, std::string text);
  void watch_client();
  void on_client_bytes(error_code error, std::size_t size);
  void push(Chunk chunk);
  void pump();
  void on_pumped(error_code error, std::size_t line_bytes);
  void await_next_request();
  std::chrono::milliseconds write_timeout() const;
  void set_deadline(std::chrono::milliseconds after);

  Socket socket_;
  boost::asio::steady_timer deadline_;
  std::shared_ptr<Service> service_;
  std::function<void()> on_closed_;
  uid_t uid_;
  Phase phase_ = Phase::kReading;
  boost::beast::flat_buffer buffer_;  // read and not yet parsed
  std::unique_ptr<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::weak_ptr<Call> call_;
  bool keep_alive_ = false;
  bool watching_ = false;     // a read is under way while phase_ is past kReading
  bool writing_ = false;      // a chunk of a stream is under way
  bool answering_ = false;    // the answer is being written
  bool last_ = false;         // close_soon() was called
  bool ending_ = false;       // the stream ends once chunks_ is empty
  std::deque<Chunk> chunks_;  // bounded by Call, which counts their lines
};

}  // namespace ginnel::control_api
