// Answers the verbs that every member of a gossip cluster has, a stand-alone one and a node's daemon:
// members, tags, event, query, wait, events, kv, meta. Requests become calls of the agent, and the agent's
// events go to those that wait for them.
//
//   ClusterApi api(host);                       // the host outlives it
//   if (!api.answer(request, body, responder)) …   // not one of these
//   api.handle(event);
//
// Lives on the loop's thread.
#pragma once
#include <map>
#include <nlohmann/json.hpp>

#include "io/event_loop.h"
#include "proto/swim/agent.h"
#include "runtime/control/message.h"
#include "runtime/gossip/event_log.h"
#include "runtime/gossip/metadata_api.h"

namespace ginnel::gossip {

// Whose agent it is. Whoever calls ClusterApi moves afterwards what the agent has to say.
class ClusterHost {
 public:
  virtual ~ClusterHost() = default;

  virtual swim::Agent& agent() = 0;
  virtual EventLog& events() = 0;
  virtual io::EventLoop& loop() = 0;
  // Errors: kUsage; nothing changed.
  virtual Result<void, Error> change_tags(const swim::serf::Tags& set,
                                          const std::vector<std::string>& del) = 0;
};

class ClusterApi {
 public:
  // The host has its agent already.
  explicit ClusterApi(ClusterHost& host) : host_(host), metadata_(host.agent()) {}

  // False: the request is not one of these, and nobody answered it.
  bool answer(const control_api::Request& request, const nlohmann::json& body,
              const control_api::Responder& responder);
  void members(const control_api::Responder& responder);
  void wait(const nlohmann::json& body, const control_api::Responder& responder);
  void handle(const swim::AgentEvent& event);

 private:
  using json = nlohmann::json;
  using Responder = control_api::Responder;

  struct Condition {
    Responder responder;
    std::size_t members = 0;  // alive, at least
    io::Alarm alarm;          // when time is up
  };
  // A query whose answers go out as lines.
  struct Asking {
    Responder responder;
    std::size_t acks = 0;
    std::size_t answers = 0;
  };
  void fail(const Responder& responder, const Error& error) const;
  bool require_serf(std::string_view what, const Responder& responder) const;
  void tags(const json& body, const Responder& responder);
  void event(const json& body, const Responder& responder);
  void query(const json& body, const Responder& responder);
  void check_conditions();
  void handle_serf(const swim::serf::SerfEvent& event);

  ClusterHost& host_;
  MetadataApi metadata_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Condition> conditions_;
  std::map<swim::serf::QueryNumber, Asking> asking_;
};

}  // namespace ginnel::gossip
