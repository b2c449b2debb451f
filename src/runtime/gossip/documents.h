// The member's answers and events as JSON documents, and its events as lines for people.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "proto/swim/agent.h"

namespace ginnel::gossip {

// The moment at which a document is made: the two clocks together.
struct Moment {
  Instant now;
  Wall wall;
};
Moment this_moment();

std::string_view app_name(swim::App app);        // "serf", "none", "ginnel"
std::string_view state_name(swim::State state);  // "alive", "suspect", "failed", "left"
std::string_view op_name(swim::serf::KeyOp op);  // "install", "use", "rm", "ls"
std::string rfc3339(Wall wall);

// As `members` shows a row.
nlohmann::json member_json(const swim::MemberInfo& member, const swim::Agent& agent,
                           const Moment& at);
nlohmann::json members_json(const swim::Agent& agent, const Moment& at);

// {"v":1,"time":…,"event":name} and `more`.
nlohmann::json event_json(std::string_view name, nlohmann::json more, const Moment& at);
// What an event of the agent's is called and says; null: it is no event for users.
nlohmann::json event_json(const swim::AgentEvent& event, const swim::Agent& agent,
                          const Moment& at);

// On one line. What is no UTF-8 is replaced.
std::string dump(const nlohmann::json& document);
// "12:30:01.123 fail s2 127.0.0.2:7946, said s1", of an event's document.
std::string human_line(const nlohmann::json& event);

}  // namespace ginnel::gossip
