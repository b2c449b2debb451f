#include "runtime/control/connection.h"

#include <sys/socket.h>

#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <cstdio>

#include "runtime/control/error_document.h"

namespace ginnel::control_api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

// What one read takes while an answer is due.
constexpr std::size_t kWatchBytes = 512;
constexpr std::chrono::milliseconds kLastWriteTime{1000};

uid_t uid_of(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  const int failed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  return failed == 0 ? credentials.uid : static_cast<uid_t>(-1);
}

// RFC 9112 section 7.1: the size in hexadecimal, the bytes, CR LF after each.
std::string chunk_of(std::string_view line) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", line.size());
  return size + std::string(line) + "\r\n";
}

}  // namespace

Connection::Connection(Socket socket, std::shared_ptr<Service> service,
                       std::function<void()> on_closed)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      service_(std::move(service)),
      on_closed_(std::move(on_closed)),
      uid_(uid_of(socket_.native_handle())) {}

Connection::~Connection() { on_closed_(); }

void Connection::read_request() {
  phase_ = Phase::kReading;
  parser_ = std::make_unique<http::request_parser<http::string_body>>();
  parser_->header_limit(kRequestHeaderMax);
  parser_->body_limit(kRequestBodyMax);
  set_deadline(service_->options.io_timeout);
  http::async_read(
      socket_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, std::size_t) { self->on_request(error); });
}

void Connection::on_request(error_code error) {
  if (phase_ != Phase::kReading) return;
  if (error == http::error::body_limit) return refuse(413, "the request is too large");
  if (error == http::error::header_limit) return refuse(431, "the request's header is too large");
  const bool is_http_error =
      error.category() == make_error_code(http::error::bad_method).category();
  if (error && is_http_error && error != http::error::end_of_stream &&
      error != http::error::partial_message)
    return refuse(400, "this is no HTTP request");
  if (error) return close();
  deadline_.cancel();
  phase_ = Phase::kHandling;
  auto message = parser_->release();
  keep_alive_ = message.keep_alive();
  const auto call = std::make_shared<Call>(service_, weak_from_this());
  call_ = call;
  watch_client();
  service_->handler({std::string(message.method_string()), std::string(message.target()),
                     std::move(message.body()), uid_},
                    Responder(call));
}

void Connection::refuse(int status, std::string text) {
  keep_alive_ = false;
  phase_ = Phase::kHandling;
  send_answer(status, error_document({Errc::kUsage, "control socket: " + text, ""}),
              "application/json");
}

void Connection::watch_client() {
  if (watching_ || phase_ == Phase::kClosed) return;
  watching_ = true;
  socket_.async_read_some(buffer_.prepare(kWatchBytes),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            self->watching_ = false;
                            self->on_client_bytes(error, size);
                          });
}

void Connection::on_client_bytes(error_code error, std::size_t size) {
  if (phase_ == Phase::kClosed) return;
  if (error) return close();
  buffer_.commit(size);
  if (phase_ == Phase::kStreaming) {
    if (const auto call = call_.lock()) call->taken(buffer_.size());
    buffer_.clear();
    watch_client();
  } else if (phase_ == Phase::kAnswered) {
    read_request();
  }
  // Else a client sends its next request before it has its answer: it stays in buffer_, and
  // nothing more is read until then.
}

void Connection::send_answer(int status, std::string body, const std::string& content_type) {
  if (phase_ != Phase::kHandling) return;
  auto message =
      std::make_shared<http::response<http::string_body>>(static_cast<http::status>(status), 11);
  message->set(http::field::content_type, content_type);
  message->keep_alive(keep_alive_);
  message->body() = std::move(body);
  message->prepare_payload();
  answering_ = true;
  set_deadline(write_timeout());
  http::async_write(socket_, *message,
                    [self = shared_from_this(), message](error_code error, std::size_t) {
                      if (error || !self->keep_alive_) return self->close();
                      self->await_next_request();
                    });
}

void Connection::await_next_request() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kAnswered;
  answering_ = false;
  call_.reset();
  if (buffer_.size() > 0) return read_request();
  set_deadline(service_->options.idle_timeout);
  watch_client();
}

// A stream ends with the connection: bytes that come while it lasts are "taken", not a request.
void Connection::begin_stream() {
  if (phase_ != Phase::kHandling) return;
  phase_ = Phase::kStreaming;
  push(
      {"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n"
       "Transfer-Encoding: chunked\r\n\r\n"});
}

void Connection::send_line(std::string line) {
  begin_stream();
  if (phase_ == Phase::kStreaming) push({chunk_of(line), line.size()});
}

void Connection::end_stream() {
  begin_stream();
  if (phase_ != Phase::kStreaming) return;
  ending_ = true;
  push({"0\r\n\r\n"});
}

void Connection::push(Chunk chunk) {
  chunks_.push_back(std::move(chunk));
  if (!writing_) pump();
}

void Connection::pump() {
  writing_ = true;
  auto chunk = std::make_shared<Chunk>(std::move(chunks_.front()));
  chunks_.pop_front();
  set_deadline(write_timeout());
  asio::async_write(socket_, asio::buffer(chunk->bytes),
                    [self = shared_from_this(), chunk](error_code error, std::size_t) {
                      self->on_pumped(error, chunk->line_bytes);
                    });
}

void Connection::on_pumped(error_code error, std::size_t line_bytes) {
  writing_ = false;
  if (phase_ == Phase::kClosed) return;
  if (error) return close();
  deadline_.cancel();
  if (const auto call = call_.lock()) call->written(line_bytes);
  if (!chunks_.empty()) return pump();
  if (ending_) close();
}

std::chrono::milliseconds Connection::write_timeout() const {
  return last_ ? kLastWriteTime : service_->options.io_timeout;
}

void Connection::set_deadline(std::chrono::milliseconds after) {
  deadline_.expires_after(after);
  deadline_.async_wait([weak = weak_from_this()](error_code error) {
    if (error) return;
    if (const auto self = weak.lock()) self->close();
  });
}

void Connection::close_soon() {
  last_ = true;
  keep_alive_ = false;
  const bool under_way = answering_ || (phase_ == Phase::kStreaming && ending_);
  if (!under_way) return close();
  set_deadline(kLastWriteTime);
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  if (const auto call = call_.lock()) call->cancel();
  deadline_.cancel();
  chunks_.clear();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace ginnel::control_api
