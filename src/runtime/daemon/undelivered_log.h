// The messages of plain sends that came back, for the log: programs of the daemon that sent them by
// `msg` are gone. One line for a peer at once, then at most one in kEvery; they are counted in
// `status PEER --json`.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "node/events.h"

namespace ginnel::runtime {

class UndeliveredLog {
 public:
  static constexpr Nanoseconds kEvery = 10s;
  // Names that are told apart; past it the oldest are forgotten, which costs a line more.
  static constexpr std::size_t kPeersMax = 256;

  // `name`: the peer's, if it is known.
  void note(Instant now, const std::string& name, const node::Undelivered& message);
  // What note() would log.
  std::optional<std::string> line(Instant now, const std::string& name,
                                  const node::Undelivered& message);

 private:
  struct Row {
    Instant next;             // no line before
    std::size_t unsaid = 0;   // messages since the last line
  };
  std::map<std::string, Row> rows_;
};

}  // namespace ginnel::runtime
