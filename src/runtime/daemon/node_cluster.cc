#include "runtime/daemon/node_cluster.h"

#include "io/clock.h"
#include "runtime/gossip/documents.h"

namespace ginnel::runtime {

Result<void, Error> NodeCluster::change_tags(const swim::serf::Tags& set,
                                             const std::vector<std::string>& del) {
  return node_.change_tags(io::now(), set, del);
}

void NodeCluster::note(const swim::AgentEvent& event) {
  const auto document = gossip::event_json(event, agent(), gossip::this_moment());
  if (!document.is_null()) log_.add(document);
}

}  // namespace ginnel::runtime
