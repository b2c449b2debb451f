// Answers the verbs: requests of the control socket to calls of the node, and the node's events to
// those that wait for them. The paths and bodies are in runtime/control/README.md.
//
// Lives on the loop's thread.
#pragma once
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "io/event_loop.h"
#include "node/node.h"
#include "runtime/control/line_ring.h"
#include "runtime/control/message.h"
#include "runtime/daemon/node_cluster.h"
#include "runtime/daemon/request_api.h"
#include "runtime/daemon/undelivered_log.h"
#include "runtime/daemon/watch_api.h"

namespace ginnel::runtime {

class Daemon;

class ControlApi {
 public:
  explicit ControlApi(Daemon& daemon);

  void answer(const control_api::Request& request, const control_api::Responder& responder);
  void handle(const node::Event& event);

 private:
  using json = nlohmann::json;
  using Responder = control_api::Responder;

  // One `ginnel sub`. A message is taken when the subscriber's process has dealt with its line.
  struct Subscriber {
    Responder responder;
    std::optional<std::string> channel;  // none: every channel
    std::deque<std::pair<Id, std::uint64_t>> unconfirmed;  // lines written and not yet dealt with
  };
  // One `ginnel msg --ack`.
  struct AckedCall {
    Responder responder;
    std::size_t open = 0;  // peers not settled
    json failed = json::array();
  };
  // A `ginnel msg` that waits for room, or for a peer that nobody knows yet.
  struct Waiting {
    Responder responder;
    std::string channel;
    ByteVector data;
    std::vector<std::string> peers;  // those left
    Instant known_by;                // who is unknown then has failed
    json failed = json::array();
  };
  // One run of `ginnel ping`.
  struct Pinging {
    Responder responder;
    std::string peer;
    Id id;
    std::uint32_t sent = 0;
    std::uint32_t count = 0;  // 0: until the client goes
    std::size_t size = 56;
    Nanoseconds interval = 1s;
    bool until_direct = false;
    bool answered = false;  // the last one
    io::Alarm alarm;
  };
  struct Condition {
    Responder responder;
    std::string what;
    std::string peer;
    std::optional<Instant> deadline;
  };

  void dispatch(const control_api::Request& request, const Responder& responder);
  void fail(const Responder& responder, const Error& error) const;
  void status(const Responder& responder);
  void peers(const Responder& responder);
  void hubs(const Responder& responder);
  Result<Id, Error> other(const std::string& peer) const;
  void why(const std::string& peer, const Responder& responder);
  void invite(const json& body, const Responder& responder);
  void revoke(const json& body, const Responder& responder);
  void reload(const Responder& responder);
  void rotate_key(const Responder& responder);
  void tell_rotated(const node::KeyRotated& rotated);
  void wg_export(const json& body, const Responder& responder);
  void lines(const control_api::LineRing& ring, const json& body, const Responder& responder);
  void message(const json& body, const Responder& responder);
  void send_now(const json& body, const std::vector<std::string>& peers, ConstBytes data,
                const Responder& responder);
  bool try_message(Waiting& waiting);
  std::optional<Error> try_peer(const Waiting& waiting, const std::string& peer);
  void retry_messages();
  void schedule_retry();
  void subscribe(const json& body, const Responder& responder);
  void unsubscribe(std::uint64_t number);
  void deliver(const Id& from, const std::string& channel);
  void deliver(const node::DatagramReceived& datagram);
  std::string line_of(const Id& from, const std::string& channel, ConstBytes data) const;
  void confirm(std::uint64_t number, std::size_t lines);
  bool is_subscribed(const std::string& channel) const;
  void ping(const json& body, const Responder& responder);
  void send_ping(std::uint64_t number);
  void pong(const node::PongReceived& pong);
  void ping_line(Pinging& pinging, std::uint32_t sequence, std::optional<Nanoseconds> rtt);
  void end_ping(std::uint64_t number);
  void wait(const json& body, const Responder& responder);
  bool holds(const Condition& condition) const;
  static Error not_in_time(const Condition& condition);
  void check_conditions();
  void settle(const node::AckSettled& settled);
  PeerInfo info_of(const Id& id) const;

  Daemon& daemon_;
  NodeCluster members_;
  gossip::ClusterApi cluster_;
  RequestApi requests_;
  WatchApi watch_;
  UndeliveredLog undelivered_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Subscriber> subscribers_;
  std::map<std::uint64_t, AckedCall> acked_;
  std::map<std::uint64_t, Pinging> pings_;
  std::map<std::uint64_t, Condition> conditions_;
  std::deque<Waiting> waiting_;
  std::optional<Responder> rotating_;  // of `ginnel key rotate`; the node has one at a time
  std::set<std::string> channels_;  // subscribed to at the node
  std::optional<io::Alarm> condition_alarm_;
  std::optional<io::Alarm> message_alarm_;  // the earliest `known_by` of waiting_
};

}  // namespace ginnel::runtime
