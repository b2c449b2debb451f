// Answers the verbs of a stand-alone member: messages, keys, leaving, and by ClusterApi what every
// member has. And the HTTP server's readers.
//
// Lives on the loop's thread. Paths and bodies: README.md.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "io/event_loop.h"
#include "proto/swim/agent.h"
#include "runtime/control/message.h"
#include "runtime/gossip/cluster_api.h"

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
  void metadata(const Responder& responder);
  void metrics(const Responder& responder);
  void message(const json& body, const Responder& responder);
  void send_reliable(const json& body, const ByteVector& data, const Responder& responder);
  void send_best_effort(const json& body, const ByteVector& data, const Responder& responder);
  void settle(swim::StreamId stream, bool sent);
  void key(const std::string& verb, const json& body, const Responder& responder);
  void own_key(swim::serf::KeyOp op, ConstBytes key, const Responder& responder);
  void handle_serf(const swim::serf::SerfEvent& event);
  void key_answer(swim::serf::QueryNumber number, KeyChange& change,
                  const swim::serf::QueryAnswer& answer);
  void end_key_change(swim::serf::QueryNumber number);
  bool require_raw(std::string_view what, const Responder& responder) const;

  Member& member_;
  ClusterApi cluster_;
  std::uint64_t next_ = 1;
  std::vector<Responder> leaving_;  // told when we have left
  std::map<std::uint64_t, Sending> sending_;
  std::map<swim::serf::QueryNumber, KeyChange> key_changes_;
};

}  // namespace ginnel::gossip
