#include "runtime/daemon/node_events.h"

#include <algorithm>

#include "runtime/daemon/documents.h"

namespace ginnel::runtime {
namespace {

using Document = NodeEvents::Document;

// {"v":1,"time","event","severity","code","text"}, then what the event adds.
Document head(std::string_view event, std::string_view severity, std::string_view code,
              std::string text, NodeEvents::Time at) {
  return {{"v", 1},
          {"time", rfc3339(at)},
          {"event", event},
          {"severity", severity},
          {"code", code.empty() ? Document() : Document(code)},
          {"text", std::move(text)}};
}

Document name_of(const PeerInfo& peer) {
  return {{"id", peer.id.is_nil() ? Document() : Document(peer.id.text())}, {"name", peer.name}};
}

Document way_of(const PathInfo& path) {
  const auto text = [](const std::string& value) {
    return value.empty() ? Document() : Document(value);
  };
  return {{"kind", path_kind_name(path.kind)},
          {"via", text(path.via)},
          {"endpoint", text(path.endpoint)}};
}

bool is_relayed(const PathInfo& path) {
  return path.kind == PathKind::kRelayUdp || path.kind == PathKind::kRelayTcp;
}

std::string way_text(const PathInfo& path) {
  std::string out(path_kind_name(path.kind));
  const std::string& where = is_relayed(path) ? path.via : path.endpoint;
  return where.empty() ? out : out + " " + where;
}

// The endpoint of a relayed path is the hub's: which hub it is says more.
bool is_same_way(const PathInfo& a, const PathInfo& b) {
  if (a.kind != b.kind) return false;
  return is_relayed(a) ? a.via == b.via : a.endpoint == b.endpoint;
}

Document path_event(const PeerInfo& peer, const PathInfo& before, NodeEvents::Time at) {
  // The same kind of path at another address: the peer, or its NAT, has moved.
  const bool roamed = before.kind == peer.path.kind && !is_relayed(before);
  const std::string text = peer.name + (roamed ? " roamed: " : ": ") + way_text(before) + " -> " +
                           way_text(peer.path);
  Document out = head(roamed ? "roamed" : "path_changed", "info", peer.path.reason, text, at);
  out["peer"] = name_of(peer);
  out["from"] = way_of(before);
  out["to"] = way_of(peer.path);
  return out;
}

Document state_event(const PeerInfo& peer, const PathInfo& before, NodeEvents::Time at) {
  const bool online = peer.state == PeerState::kOnline;
  std::string text = peer.name + (online ? " is online" : " is down");
  const PathInfo& path = online ? peer.path : before;
  if (path.kind != PathKind::kNone) text += (online ? " via " : ", last via ") + way_text(path);
  Document out = head(online ? "peer_online" : "peer_down", online ? "info" : "warning",
                      online ? path.reason : "", std::move(text), at);
  out["peer"] = name_of(peer);
  out["path"] = way_of(path);
  return out;
}

std::string_view event_of(const std::string& code) {
  if (code == "E_NAME_CLASH") return "name_clash";
  if (code == "E_DENIED" || code == "E_WRONG_NETWORK") return "refused";
  return "notice";
}

}  // namespace

NodeEvents::Documents NodeEvents::note_peer(const PeerInfo& peer, Time at) {
  if (peer.id.is_nil()) return {};  // stock WireGuard peers share the nil Id
  const auto known = seen_.find(peer.id);
  const bool is_new = known == seen_.end();
  const Seen before = is_new ? Seen{} : known->second;
  Seen now{peer.state, peer.path};
  if (now.state == PeerState::kConnecting) now.state = before.state;  // neither here nor there
  Documents out;
  if (now.state != before.state) out.push_back(state_event(peer, before.path, at));
  const bool had_way = before.path.kind != PathKind::kNone;
  const bool has_way = peer.path.kind != PathKind::kNone;
  if (had_way && has_way && !is_same_way(before.path, peer.path)) {
    out.push_back(path_event(peer, before.path, at));
  }
  // A session that starts or ends is no change of path: what was last is kept to compare with.
  if (!has_way) now.path = before.path;
  if (!is_new) {
    known->second = std::move(now);
  } else if (seen_.size() < kPeersMax) {
    seen_.emplace(peer.id, std::move(now));
  }
  return out;
}

Document NodeEvents::hub(const PeerInfo& hub, bool online, Time at) {
  const std::string name = hub.name.empty() ? hub.id.text() : hub.name;
  Document out = online ? head("hub_attached", "info", "", "attached to hub " + name, at)
                        : head("hub_lost", "warning", "E_HUB_UNREACHABLE",
                               "hub " + name + " does not answer any more", at);
  out["hub"] = name_of(hub);
  return out;
}

std::optional<Document> NodeEvents::note_addresses(const std::vector<Address>& addresses, Time at) {
  std::vector<Address> sorted = addresses;
  std::ranges::sort(sorted);
  const bool first = !addresses_;
  if (!first && *addresses_ == sorted) return std::nullopt;
  addresses_ = sorted;
  if (first) return std::nullopt;
  std::string list;
  Document texts = Document::array();
  for (const Address& address : sorted) {
    texts.push_back(address.text());
    list += (list.empty() ? "" : ", ") + address.text();
  }
  Document out = head("addresses_changed", "info", "",
                      list.empty() ? "this host has no address any more"
                                   : "this host's addresses are now " + list,
                      at);
  out["addresses"] = std::move(texts);
  return out;
}

Document NodeEvents::resumed(Nanoseconds span, Time at) {
  const double seconds = std::chrono::duration<double>(span).count();
  Document out = head("resumed", "info", "",
                      "the machine slept for " + std::to_string(static_cast<long>(seconds)) +
                          " s; every path is probed again",
                      at);
  out["slept"] = seconds;
  return out;
}

Document NodeEvents::notice(const node::Notice& notice, Time at) {
  const auto severity = notice.level == node::Notice::Level::kInfo      ? "info"
                        : notice.level == node::Notice::Level::kWarning ? "warning"
                                                                        : "error";
  return head(event_of(notice.code), severity, notice.code, notice.text, at);
}

Document NodeEvents::plain(std::string_view event, std::string text, Time at) {
  return head(event, "info", "", std::move(text), at);
}

}  // namespace ginnel::runtime
