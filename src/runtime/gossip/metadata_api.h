// Answers the metadata verbs (`kv`, `meta`): requests of a control socket to calls of an agent, and
// its changes to those that watch.
//
//   MetadataApi api(agent);
//   if (api.answer(request, responder)) pump();   // false: not a path of metadata
//   api.handle(event);                            // each event of the agent
//
// Lives on the loop's thread. Paths and bodies: README.md. Not copied.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "proto/swim/agent.h"
#include "runtime/control/message.h"

namespace ginnel::gossip {

class MetadataApi {
 public:
  // More are refused with E_WOULD_BLOCK.
  static constexpr std::size_t kWatchersMax = 256;

  explicit MetadataApi(swim::Agent& agent) : agent_(agent) {}
  MetadataApi(const MetadataApi&) = delete;
  MetadataApi& operator=(const MetadataApi&) = delete;

  bool answer(const control_api::Request& request, const control_api::Responder& responder);
  void handle(const swim::AgentEvent& event);

 private:
  struct Watcher {
    control_api::Responder responder;
    swim::metadata::Key key;
    bool prefix = false;  // also all names that begin with the key's
  };
  class Body;

  void dispatch(const std::string& verb, const Body& body,
                const control_api::Responder& responder);
  void get(const Body& body, const control_api::Responder& responder) const;
  void put(const Body& body, const control_api::Responder& responder);
  void del(const Body& body, const control_api::Responder& responder);
  void list(const Body& body, const control_api::Responder& responder) const;
  void watch(const Body& body, const control_api::Responder& responder);
  void tell_watchers(const swim::metadata::Changed& change);

  swim::Agent& agent_;
  std::vector<Watcher> watchers_;
};

}  // namespace ginnel::gossip
