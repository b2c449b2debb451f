#include "runtime/attached/link.h"

namespace ginnel::runtime {

using nlohmann::json;

Result<json, Error> Link::call(const control_api::Query& query) {
  const std::lock_guard lock(calls_);
  return call_beside(query, kAnswerTime);
}

Result<json, Error> Link::call_beside(const control_api::Query& query, Nanoseconds limit,
                                      int interrupt_fd) const {
  if (is_closed()) return Fail(Error{Errc::kClosed, "the node was closed", ""});
  auto client = connect();
  if (!client) return Fail(client.error());
  client->set_timeout(limit);
  client->set_interrupt_fd(interrupt_fd);
  const auto text = client->call(query);
  if (!text) return Fail(text.error());
  json document = json::parse(*text, nullptr, false);
  if (document.is_object()) return document;
  return Fail(Error{Errc::kInternal, "the daemon's answer cannot be read", "ginnel version"});
}

void Link::handle(const std::function<void()>& work) {
  const std::lock_guard lock(handlers_);
  if (is_closed()) return;
  handling_.store(std::this_thread::get_id());
  work();
  handling_.store(std::thread::id());
}

void Link::close() {
  const std::lock_guard lock(handlers_);
  closed_.store(true);
}

}  // namespace ginnel::runtime
