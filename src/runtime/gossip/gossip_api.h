// Answers the verbs: requests of the control socket to calls of the agent, and the agent's events
// to those that wait for them. And the HTTP server's readers.
//
// Lives on the loop's thread. Paths and bodies: README.md.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "io/event_loop.h"
#include "proto/swim/agent.h"
#include "runtime/control/message.h"
#include "runtime/gossip/metadata_api.h"

namespace ginnel::gossip {

class Member;

class GossipApi {
 public:
  explicit GossipApi(Member& member);

  void answer(const control_api::Request& request, const control_api::Responder& responder);
  // Reading only.
  void answer_http(const control_api::Request& request, const control_api::Responder& responder);
  void handle(const swim::AgentEvent& event);

 private:
  using json = nlohmann::json;
  using Responder = control_api::Responder;

  // A `ginnel msg` over TCP, until each of its streams has ended.
  struct Sending {
    Responder responder;
    std::map<swim::StreamId, std::string> open;  // to the member's name
    json failed = json::array();
  };
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
  // A key operation of the whole cluster.
  struct KeyChange {
    Responder responder;
    swim::serf::KeyOp op = swim::serf::KeyOp::kList;
    std::size_t members = 0;  // that should answer
    std::size_t answered = 0;
    json failed = json::array();
    std::map<std::string, std::size_t> holders;  // by fingerprint
    std::set<std::string> primaries;
  };

  void dispatch(const control_api::Request& request, const Responder& responder);
  void fail(const Responder& responder, const Error& error) const;
  void members(const Responder& responder);
  void metadata(const Responder& responder);
  void metrics(const Responder& responder);
  void tags(const json& body, const Responder& responder);
  void message(const json& body, const Responder& responder);
  void send_reliable(const json& body, const ByteVector& data, const Responder& responder);
  void send_best_effort(const json& body, const ByteVector& data, const Responder& responder);
  void settle(swim::StreamId stream, bool sent);
  void event(const json& body, const Responder& responder);
  void query(const json& body, const Responder& responder);
  void key(const std::string& verb, const json& body, const Responder& responder);
  void own_key(swim::serf::KeyOp op, ConstBytes key, const Responder& responder);
  void wait(const json& body, const Responder& responder);
  void check_conditions();
  void handle_serf(const swim::serf::SerfEvent& event);
  void key_answer(swim::serf::QueryNumber number, KeyChange& change,
                  const swim::serf::QueryAnswer& answer);
  void end_key_change(swim::serf::QueryNumber number);
  bool require(swim::App app, std::string_view what, const Responder& responder) const;

  Member& member_;
  MetadataApi metadata_;
  std::uint64_t next_ = 1;
  std::vector<Responder> leaving_;  // told when we have left
  std::map<std::uint64_t, Sending> sending_;
  std::map<std::uint64_t, Condition> conditions_;
  std::map<swim::serf::QueryNumber, Asking> asking_;
  std::map<swim::serf::QueryNumber, KeyChange> key_changes_;
};

}  // namespace ginnel::gossip
