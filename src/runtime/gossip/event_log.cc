#include "runtime/gossip/event_log.h"

#include <nlohmann/json.hpp>

#include "runtime/gossip/documents.h"

namespace ginnel::gossip {

void EventLog::add(const nlohmann::json& event) {
  std::string line = dump(event);
  if (out_) out_->write(json_ ? line : human_line(event));
  lines_.add(std::move(line));
}

void EventLog::stream(const control_api::Responder& responder, bool follow, bool with_kept) {
  lines_.stream(responder,
                {.follow = follow, .last = with_kept ? control_api::LineRing::kLinesMax : 0});
}

}  // namespace ginnel::gossip
