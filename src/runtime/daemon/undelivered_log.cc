#include "runtime/daemon/undelivered_log.h"

#include <spdlog/spdlog.h>

namespace ginnel::runtime {

void UndeliveredLog::note(Instant now, const std::string& name, const node::Undelivered& message) {
  if (const auto text = line(now, name, message)) spdlog::warn("{}", *text);
}

std::optional<std::string> UndeliveredLog::line(Instant now, const std::string& name,
                                                const node::Undelivered& message) {
  const std::string& who = name.empty() ? message.peer_text : name;
  if (rows_.size() >= kPeersMax && !rows_.contains(who)) rows_.clear();
  Row& row = rows_[who];
  ++row.unsaid;
  if (row.next > now) return std::nullopt;
  const std::size_t count = std::exchange(row.unsaid, 0);
  row.next = now + kEvery;
  std::string out = count == 1 ? "a message to " : std::to_string(count) + " messages to ";
  out += who + (message.sent ? " may not have arrived" : " was not sent");
  if (count > 1) out += " (the last one)";
  return out + ": " + message.error.text + " [" + std::string(code_name(message.error.code)) +
         "]; channel " + message.channel;
}

}  // namespace ginnel::runtime
