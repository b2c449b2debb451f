#include "runtime/control/call.h"

#include <boost/asio/post.hpp>

#include "runtime/control/connection.h"
#include "runtime/control/error_document.h"

namespace ginnel::control_api {

template <class Action>
void Call::post(Action action) {
  boost::asio::post(service_->context, [weak = connection_, action = std::move(action)]() mutable {
    if (const auto connection = weak.lock()) action(*connection);
  });
}

Call::~Call() {
  if (phase_ == Phase::kDone || cancelled_) return;
  if (phase_ == Phase::kStreaming) {
    post([](Connection& c) { c.close(); });
    return;
  }
  std::string body = error_document({Errc::kInternal, "the daemon gave no answer", ""});
  post([body = std::move(body)](Connection& c) mutable { c.send_answer(500, std::move(body), "application/json"); });
}

void Call::answer(int status, std::string body, std::string_view content_type) {
  {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::kOpen) return;
    phase_ = Phase::kDone;
  }
  post([status, body = std::move(body), type = std::string(content_type)](Connection& c) mutable {
    c.send_answer(status, std::move(body), type);
  });
}

void Call::begin() {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::kOpen || cancelled_) return;
  phase_ = Phase::kStreaming;
  post([](Connection& c) { c.begin_stream(); });
}

bool Call::write_line(std::string line) {
  const std::lock_guard lock(mutex_);  // held while posting: lines keep their order
  if (phase_ == Phase::kDone || cancelled_) return false;
  phase_ = Phase::kStreaming;
  line += '\n';
  if ((unread_bytes_ += line.size()) > service_->options.stream_bytes_max) {
    phase_ = Phase::kDone;
    post([](Connection& c) { c.close(); });
    return false;
  }
  post([line = std::move(line)](Connection& c) mutable { c.send_line(std::move(line)); });
  return true;
}

void Call::finish() {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::kDone) return;
  phase_ = Phase::kDone;
  post([](Connection& c) { c.end_stream(); });
}

void Call::on_cancelled(std::function<void()> handler) {
  {
    const std::lock_guard lock(mutex_);
    if (!cancelled_) {
      cancel_handler_ = std::move(handler);
      return;
    }
  }
  handler();
}

void Call::on_taken(std::function<void(std::size_t)> handler) {
  const std::lock_guard lock(mutex_);
  taken_handler_ = std::move(handler);
}

void Call::cancel() {
  std::function<void()> handler;
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_.exchange(true)) return;
    handler = std::exchange(cancel_handler_, nullptr);
    taken_handler_ = nullptr;
  }
  if (handler) handler();
}

void Call::taken(std::size_t lines) {
  std::function<void(std::size_t)> handler;
  {
    const std::lock_guard lock(mutex_);
    handler = taken_handler_;
  }
  if (handler) handler(lines);
}

}  // namespace ginnel::control_api
