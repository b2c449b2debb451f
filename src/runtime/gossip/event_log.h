// Every event's document to whoever reads: standard output, `events -f`, GET /events.
//
// The loop's thread only.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "runtime/control/line_ring.h"
#include "runtime/gossip/line_writer.h"

namespace ginnel::gossip {

class EventLog {
 public:
  // `json`: documents on standard output too, else lines for people.
  EventLog(int out_fd, bool json) : json_(json) { out_.emplace(out_fd); }
  // Nothing on standard output; the documents stand between other lines of this ring.
  explicit EventLog(control_api::LineRing lines) : json_(true), lines_(std::move(lines)) {}

  void add(const nlohmann::json& event);
  // What is kept, oldest first; then, with `follow`, all that come.
  void stream(const control_api::Responder& responder, bool follow, bool with_kept);
  // Ends every stream as one that is whole.
  void finish() { lines_.finish(); }

 private:
  std::optional<LineWriter> out_;
  bool json_;
  control_api::LineRing lines_;
};

}  // namespace ginnel::gossip
