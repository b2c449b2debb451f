#include "runtime/daemon/watch_api.h"

#include "io/clock.h"
#include "runtime/control/error_document.h"
#include "runtime/daemon/body.h"
#include "runtime/daemon/daemon.h"
#include "runtime/daemon/documents.h"

namespace ginnel::runtime {
namespace {

constexpr const char* kUndelivered = "undelivered";
constexpr const char* kWritable = "writable";
constexpr const char* kPath = "path";

nlohmann::json undelivered_line(const node::Undelivered& lost) {
  nlohmann::json line{{"v", 1},
                      {"outcome", lost.sent ? "unknown" : "not_sent"},
                      {"id", text_or_null(lost.peer.is_nil() ? "" : lost.peer.text())},
                      {"peer", lost.peer_text},
                      {"channel", lost.channel},
                      {"error",
                       {{"code", code_name(lost.error.code)},
                        {"text", lost.error.text},
                        {"hint", lost.error.hint}}}};
  put_data(line, lost.data);
  return line;
}

}  // namespace

bool WatchApi::answer(const control_api::Request& request, const json& body,
                      const control_api::Responder& responder) {
  if (request.method != "POST" || request.target != "/v1/watch") return false;
  const std::string event = text_at(body, "event");
  if (event != kUndelivered && event != kWritable && event != kPath) {
    responder.answer(control_api::http_status(Errc::kUsage),
                     control_api::error_document(malformed()));
    return true;
  }
  const std::uint64_t number = next_++;
  watchers_.emplace(number, Watcher{responder, event});
  io::EventLoop& loop = daemon_.loop();
  responder.on_cancelled([this, &loop, number] {
    loop.post([this, number] { watchers_.erase(number); });
  });
  responder.begin();
  return true;
}

void WatchApi::handle(const node::Event& event) {
  if (watchers_.empty()) return;
  if (const auto* lost = std::get_if<node::Undelivered>(&event)) {
    if (is_watched(kUndelivered)) write(kUndelivered, undelivered_line(*lost));
  } else if (const auto* writable = std::get_if<node::ChannelWritable>(&event)) {
    write(kWritable, {{"v", 1}, {"id", writable->peer.text()}, {"channel", writable->channel}});
  } else if (const auto* changed = std::get_if<node::PeerChanged>(&event)) {
    const auto info = daemon_.node().peer_info(io::now(), changed->id);
    if (info) write(kPath, {{"v", 1}, {"peer", peer_json(*info, daemon_.rates().of(*info))}});
  }
}

bool WatchApi::is_watched(const char* event) const {
  for (const auto& [number, watcher] : watchers_) {
    if (watcher.event == event) return true;
  }
  return false;
}

void WatchApi::write(const char* event, const json& line) {
  const std::string text = line.dump(-1, ' ', false, json::error_handler_t::replace);
  for (auto& [number, watcher] : watchers_) {
    if (watcher.event == event) (void)watcher.responder.write_line(text);
  }
}

}  // namespace ginnel::runtime
