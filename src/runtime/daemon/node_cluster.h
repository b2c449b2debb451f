// The node's gossip cluster for the control API: its agent, and the events of its members.
//
// Lives on the loop's thread.
#pragma once
#include "node/node.h"
#include "runtime/gossip/cluster_api.h"

namespace ginnel::runtime {

class NodeCluster final : public gossip::ClusterHost {
 public:
  NodeCluster(node::Node& node, io::EventLoop& loop, control_api::LineRing events)
      : node_(node), loop_(loop), log_(std::move(events)) {}

  swim::Agent& agent() override { return *node_.gossip_agent(); }
  gossip::EventLog& events() override { return log_; }
  io::EventLoop& loop() override { return loop_; }
  Result<void, Error> change_tags(const swim::serf::Tags& set,
                                  const std::vector<std::string>& del) override;

  // What the members do goes to `ginnel events`.
  void note(const swim::AgentEvent& event);

 private:
  node::Node& node_;
  io::EventLoop& loop_;
  gossip::EventLog log_;
};

}  // namespace ginnel::runtime
