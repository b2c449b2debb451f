#include "node/directory.h"

#include <algorithm>

namespace ginnel::node {

bool Peer::is_online() const {
  return std::ranges::any_of(hubs, [](const auto& row) { return row.second.online; });
}

bool Directory::set_record(const PeerRecord& record) {
  const auto it = peers_.find(record.id);
  if (it == peers_.end()) {
    if (peers_.size() >= kPeersMax) {
      ++refused_;
      return false;
    }
    peers_.emplace(record.id, Peer{record, {}});
  } else {
    unindex(it->second.record);
    it->second.record = record;
  }
  index(record);
  return true;
}

void Directory::set_row(const Id& hub, const Id& peer, HubRow row) {
  const auto it = peers_.find(peer);
  if (it != peers_.end()) it->second.hubs.insert_or_assign(hub, std::move(row));
}

void Directory::remove_row(const Id& hub, const Id& peer) {
  const auto it = peers_.find(peer);
  if (it != peers_.end()) it->second.hubs.erase(hub);
}

void Directory::remove_hub(const Id& hub) {
  for (auto& [id, peer] : peers_) peer.hubs.erase(hub);
}

void Directory::forget(const Id& peer) {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  unindex(it->second.record);
  peers_.erase(it);
}

const Peer* Directory::find(const Id& id) const {
  const auto it = peers_.find(id);
  return it == peers_.end() ? nullptr : &it->second;
}

const Peer* Directory::find_session_key(const crypto::SessionPublic& key) const {
  const auto it = by_session_key_.find(key);
  return it == by_session_key_.end() ? nullptr : find(it->second);
}

const Peer* Directory::find_address(const Address& address) const {
  const auto it = by_address_.find(address);
  return it == by_address_.end() ? nullptr : find(it->second);
}

const Peer* Directory::find_name(std::string_view name) const {
  if (const auto id = Id::parse(name)) return find(*id);
  const auto it = by_name_.find(name.substr(0, name.find('.')));
  if (it == by_name_.end() || it->second.size() != 1) return nullptr;
  return find(*it->second.begin());
}

bool Directory::is_ambiguous(std::string_view name) const {
  const auto it = by_name_.find(name.substr(0, name.find('.')));
  return it != by_name_.end() && it->second.size() > 1;
}

void Directory::index(const PeerRecord& record) {
  by_session_key_.insert_or_assign(record.session_key, record.id);
  for (const Address& address : record.addresses) by_address_.emplace(address, record.id);
  if (!record.name.empty()) by_name_[record.name].insert(record.id);
}

void Directory::unindex(const PeerRecord& record) {
  const auto drop_if_ours = [&](auto& map, const auto& key) {
    const auto it = map.find(key);
    if (it != map.end() && it->second == record.id) map.erase(it);
  };
  drop_if_ours(by_session_key_, record.session_key);
  for (const Address& address : record.addresses) drop_if_ours(by_address_, address);
  const auto name = by_name_.find(record.name);
  if (name == by_name_.end()) return;
  name->second.erase(record.id);
  if (name->second.empty()) by_name_.erase(name);
}

}  // namespace ginnel::node
