// What happened to the node, with its cause, as the documents of `events` (docs/cli.md, "events").
//
//   NodeEvents events;
//   for (auto& document : events.note_peer(info, wall)) ring.add(document.dump());
//
// Pure: what is, and the time, in; what changed out. Remembers one row per peer, at most kPeersMax.
#pragma once
#include <ginnel/types.h>

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/address.h"
#include "base/instant.h"
#include "node/events.h"

namespace ginnel::runtime {

class NodeEvents {
 public:
  using Document = nlohmann::ordered_json;
  using Documents = std::vector<Document>;
  using Time = std::chrono::system_clock::time_point;

  // More than a hub takes. At the limit a newcomer is told of, and told of again when it changes.
  static constexpr std::size_t kPeersMax = 10'000;

  // peer_online, peer_down, path_changed, roamed: what is new of this peer.
  Documents note_peer(const PeerInfo& peer, Time at);
  // hub_attached, hub_lost.
  static Document hub(const PeerInfo& hub, bool online, Time at);
  // addresses_changed. nullopt: they are as before, or the first that are told.
  std::optional<Document> note_addresses(const std::vector<Address>& addresses, Time at);
  // resumed: the machine slept for `span`.
  static Document resumed(Nanoseconds span, Time at);
  // name_clash, refused and the like by their code; else notice.
  static Document notice(const node::Notice& notice, Time at);
  // started, leaving, certificate_renewed.
  static Document plain(std::string_view event, std::string text, Time at);

 private:
  struct Seen {
    PeerState state = PeerState::kDown;
    PathInfo path;
  };
  std::map<Id, Seen> seen_;
  std::optional<std::vector<Address>> addresses_;
};

}  // namespace ginnel::runtime
