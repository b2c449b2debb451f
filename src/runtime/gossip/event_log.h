// Every event's document to whoever reads: standard output, `events -f`, GET /events.
//
// Keeps the last kKeptMax for `events`. The loop's thread only.
#pragma once
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "io/event_loop.h"
#include "runtime/control/message.h"
#include "runtime/gossip/line_writer.h"

namespace ginnel::gossip {

class EventLog {
 public:
  static constexpr std::size_t kKeptMax = 1000;

  // `json`: documents on standard output too, else lines for people.
  EventLog(io::EventLoop& loop, int out_fd, bool json) : loop_(loop), json_(json) {
    out_.emplace(out_fd);
  }
  // Nothing on standard output.
  explicit EventLog(io::EventLoop& loop) : loop_(loop), json_(true) {}

  void add(const nlohmann::json& event);
  // What is kept, oldest first; then, with `follow`, all that come.
  void stream(const control_api::Responder& responder, bool follow, bool with_kept);
  // Ends every stream as one that is whole.
  void finish();

 private:
  io::EventLoop& loop_;
  std::optional<LineWriter> out_;
  bool json_;
  std::deque<std::string> kept_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, control_api::Responder> followers_;
};

}  // namespace ginnel::gossip
