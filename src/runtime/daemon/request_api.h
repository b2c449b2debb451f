// Requests over the control socket: `ginnel req` asks, `ginnel reply` answers.
//
//   POST /v1/req      one question, one answer
//   POST /v1/replier  a stream of requests for one program: the next one when it has the last one
//                     and fewer than `jobs` are unanswered
//   POST /v1/reply    the answer to one of them, over a connection of its own
//
// A replier that goes fails what it had: it may have been done, and is not done again. Lives on the
// loop's thread.
#pragma once
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "io/clock.h"
#include "node/events.h"
#include "runtime/control/message.h"

namespace ginnel::runtime {

class Daemon;

class RequestApi {
 public:
  explicit RequestApi(Daemon& daemon) : daemon_(daemon) {}

  // False: not one of ours.
  bool answer(const control_api::Request& request, const nlohmann::json& body,
              const control_api::Responder& responder);
  void handle(const node::Event& event);

 private:
  using json = nlohmann::json;
  using Responder = control_api::Responder;

  // One `ginnel reply`.
  struct Replier {
    Responder responder;
    std::string channel;
    std::size_t jobs = 1;
    bool reading = false;            // it has not dealt with the last line yet
    std::set<std::uint64_t> having;  // unanswered; keys of open_
  };
  struct Open {
    std::uint64_t replier = 0;
    Id from;
    std::uint64_t id = 0;  // the node's
  };

  void ask(const json& body, const Responder& responder);
  void serve(const json& body, const Responder& responder);
  void reply(const json& body, const Responder& responder);
  void settle(const node::RequestSettled& settled);
  void deliver();
  bool deliver_one(std::uint64_t number, Replier& replier);
  void write(std::uint64_t number, Replier& replier, const Id& from, const json& line,
             std::uint64_t id);
  void end_replier(std::uint64_t number);

  Daemon& daemon_;
  // The first one is the time in microseconds: an answer that was meant for an earlier run of the
  // daemon finds no request.
  std::uint64_t next_ = static_cast<std::uint64_t>(io::wall().ns / 1000);
  std::map<std::uint64_t, Responder> asking_;   // by call; the core bounds them
  std::map<std::uint64_t, Replier> repliers_;
  std::map<std::uint64_t, Open> open_;          // by the number in the replier's line
  std::set<std::pair<std::string, Id>> ready_;  // channels that may have a request at their head
};

}  // namespace ginnel::runtime
