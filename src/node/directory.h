// Who is in the network, as this node knows it: the union of table E over its hubs
// (docs/design.md section 8). Every hub contributes which of its peers are online and at which
// relay index; the record of a peer comes from its verified certificate.
//
//   Directory directory;
//   directory.set_row(hub, {.record = …, .relay_index = …, .online = true});
//   directory.find_name("bob");
//
// Pure and deterministic. Bounded by kPeersMax: past it new peers are refused and counted.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/strong_int.h"
#include "node/peer_record.h"
#include "proto/path/candidate.h"

namespace ginnel::node {

inline constexpr std::size_t kPeersMax = 65'536;

// What one hub says of one peer.
struct HubRow {
  std::uint32_t relay_index = 0;  // 0: the hub does not relay to it
  std::uint64_t epoch = 0;        // the run of the peer that the hub knows
  bool online = false;
  std::vector<path::Candidate> candidates;  // the peer's own addresses (table D)
};

struct Peer {
  PeerRecord record;
  std::map<Id, HubRow> hubs;  // by hub

  bool is_online() const;
};

class Directory {
 public:
  // Adds the peer or replaces its record. False: kPeersMax reached, nothing changed.
  bool set_record(const PeerRecord& record);
  // A hub's word about a known peer. Ignored for a peer without a record.
  void set_row(const Id& hub, const Id& peer, HubRow row);
  // The hub no longer lists the peer. The record stays: the name and Id remain known.
  void remove_row(const Id& hub, const Id& peer);
  // The hub is gone, or sends a new snapshot: all its rows go, the peers stay.
  void remove_hub(const Id& hub);
  // Forgets the peer altogether: revoked.
  void forget(const Id& peer);

  const Peer* find(const Id& id) const;
  const Peer* find_session_key(const crypto::SessionPublic& key) const;
  // The one whose overlay address this is.
  const Peer* find_address(const Address& address) const;
  // By Id text, by name, or by the name with the network's domain. A name that two peers carry is
  // ambiguous and finds nobody.
  const Peer* find_name(std::string_view name) const;
  bool is_ambiguous(std::string_view name) const;

  const std::map<Id, Peer>& peers() const { return peers_; }
  std::size_t refused() const { return refused_; }

 private:
  void index(const PeerRecord& record);
  void unindex(const PeerRecord& record);

  std::map<Id, Peer> peers_;
  std::map<crypto::SessionPublic, Id> by_session_key_;
  std::map<Address, Id> by_address_;
  std::map<std::string, std::set<Id>, std::less<>> by_name_;
  std::size_t refused_ = 0;
};

}  // namespace ginnel::node
