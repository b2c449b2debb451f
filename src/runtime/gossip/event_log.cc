#include "runtime/gossip/event_log.h"

#include <nlohmann/json.hpp>

#include "runtime/gossip/documents.h"

namespace ginnel::gossip {

void EventLog::add(const nlohmann::json& event) {
  const std::string line = dump(event);
  if (out_) out_->write(json_ ? line : human_line(event));
  if (kept_.size() == kKeptMax) kept_.pop_front();
  kept_.push_back(line);
  // One that does not read is dropped by write_line.
  std::erase_if(followers_, [&](const auto& entry) { return !entry.second.write_line(line); });
}

void EventLog::stream(const control_api::Responder& responder, bool follow, bool with_kept) {
  if (with_kept) {
    for (const std::string& line : kept_) {
      if (!responder.write_line(line)) return;
    }
  }
  if (!follow) return responder.finish();
  responder.begin();
  const std::uint64_t number = next_++;
  followers_.emplace(number, responder);
  responder.on_cancelled(
      [this, number] { loop_.post([this, number] { followers_.erase(number); }); });
}

void EventLog::finish() {
  for (const auto& [number, responder] : followers_) responder.finish();
  followers_.clear();
}

}  // namespace ginnel::gossip
