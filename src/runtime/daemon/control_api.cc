#include "runtime/daemon/control_api.h"

#include <algorithm>

#include "base/timers.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "runtime/control/error_document.h"
#include "runtime/daemon/body.h"
#include "runtime/daemon/daemon.h"
#include "runtime/daemon/wg_export.h"

namespace ginnel::runtime {
namespace {

using nlohmann::json;

constexpr Nanoseconds kDefaultAck = 10s;
constexpr Nanoseconds kConditionCheck = 50ms;
// More often is a flood.
constexpr Nanoseconds kPingEveryMin = 10ms;

bool is_direct(PathKind kind) {
  return kind == PathKind::kLan || kind == PathKind::kDirect || kind == PathKind::kPunched;
}

// A stock WireGuard peer has no Id to resolve to, and no path but a direct one.
bool is_online_stock_peer(const node::StatusSnapshot& status, const std::string& name) {
  return std::ranges::any_of(status.peers, [&](const PeerInfo& peer) {
    return peer.id.is_nil() && peer.name == name && peer.state == PeerState::kOnline;
  });
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto hex = text[i] == '%' && i + 2 < text.size() ? from_hex(text.substr(i + 1, 2))
                                                           : std::nullopt;
    if (hex) {
      out += static_cast<char>(hex->front());
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

json failed_json(const std::string& peer, const Error& error) {
  return {{"peer", peer},
          {"code", code_name(error.code)},
          {"text", error.text},
          {"hint", error.hint}};
}

json peer_name_json(const PeerInfo& peer) {
  return {{"id", peer.id.text()},
          {"name", peer.name},
          {"address", peer.addresses.empty() ? json() : json(peer.addresses.front())}};
}

}  // namespace

ControlApi::ControlApi(Daemon& daemon)
    : daemon_(daemon),
      members_(daemon.node(), daemon.loop(), daemon.event_lines()),
      cluster_(members_),
      requests_(daemon),
      watch_(daemon) {}

void ControlApi::answer(const control_api::Request& request, const Responder& responder) {
  try {
    dispatch(request, responder);
  } catch (const json::exception&) {
    fail(responder, malformed());  // a value of the wrong type
  }
  daemon_.pump();
}

void ControlApi::dispatch(const control_api::Request& request, const Responder& responder) {
  json body = json::object();
  if (!request.body.empty()) {
    body = json::parse(request.body, nullptr, false);
    if (!body.is_object()) return fail(responder, malformed());
  }
  const std::string& target = request.target;
  if (request.method == "GET") {
    if (target == "/v1/status") return status(responder);
    if (target == "/v1/peers") return peers(responder);
    if (target == "/v1/hubs") return hubs(responder);
    if (target.starts_with("/v1/why/")) return why(decoded(target.substr(8)), responder);
    if (target == "/v1/wg/show") {
      const json out{{"v", 1},
                     {"public_key", daemon_.node().status(io::now()).session_key},
                     {"port", daemon_.port()}};
      return responder.ok(out.dump());
    }
  } else if (request.method == "POST") {
    if (target == "/v1/invite") return invite(body, responder);
    if (target == "/v1/revoke") return revoke(body, responder);
    if (target == "/v1/key/rotate") return rotate_key(responder);
    if (target == "/v1/wg/export") return wg_export(body, responder);
    if (target == "/v1/msg") return message(body, responder);
    if (target == "/v1/sub") return subscribe(body, responder);
    if (target == "/v1/ping") return ping(body, responder);
    if (target == "/v1/events") return lines(daemon_.event_lines(), body, responder);
    if (target == "/v1/log") return lines(daemon_.log_lines(), body, responder);
    if (target == "/v1/wait") return wait(body, responder);
    if (target == "/v1/config/reload") return reload(responder);
    if (target == "/v1/down" || target == "/v1/leave") {
      responder.ok(R"({"v":1})");
      return daemon_.leave();
    }
  }
  if (cluster_.answer(request, body, responder)) return;
  if (requests_.answer(request, body, responder) || watch_.answer(request, body, responder)) return;
  fail(responder, {Errc::kUsage, "this daemon knows no " + request.method + " " + target,
                   "is the command of the same version as the daemon?"});
}

void ControlApi::fail(const Responder& responder, const Error& error) const {
  responder.answer(control_api::http_status(error.code), control_api::error_document(error));
}

void ControlApi::status(const Responder& responder) {
  responder.ok(status_json(daemon_.node().status(io::now()), daemon_.facts()).dump());
}

void ControlApi::peers(const Responder& responder) {
  json rows = json::array();
  for (const PeerInfo& peer : daemon_.node().status(io::now()).peers) {
    rows.push_back(peer_json(peer, daemon_.rates().of(peer)));
  }
  responder.ok(json{{"v", 1}, {"peers", std::move(rows)}}.dump());
}

void ControlApi::hubs(const Responder& responder) {
  json rows = json::array();
  for (const auto& hub : daemon_.node().status(io::now()).hubs) rows.push_back(hub_json(hub));
  responder.ok(json{{"v", 1}, {"hubs", std::move(rows)}}.dump());
}

PeerInfo ControlApi::info_of(const Id& id) const {
  auto info = daemon_.node().peer_info(io::now(), id);
  if (info) return *std::move(info);
  PeerInfo out;
  out.id = id;
  const auto& self = daemon_.node().self();
  if (id == self.id) out.name = self.name;
  return out;
}

// Of a peer's path, not of the node itself, which needs none.
Result<Id, Error> ControlApi::other(const std::string& peer) const {
  auto id = daemon_.node().resolve(peer);
  if (!id || *id != daemon_.node().self().id) return id;
  return Fail(Error{Errc::kUsage, peer + " is this node itself", "ginnel peers"});
}

void ControlApi::why(const std::string& peer, const Responder& responder) {
  const auto id = other(peer);
  if (!id) return fail(responder, id.error());
  const PeerInfo info = info_of(*id);
  json attempts = json::array();
  for (const Attempt& attempt : daemon_.node().why(io::now(), *id)) {
    attempts.push_back({{"local", text_or_null(attempt.local)},
                        {"remote", attempt.remote},
                        {"kind", attempt.kind},
                        {"result", attempt.result},
                        {"reason", text_or_null(attempt.reason)},
                        {"fix", text_or_null(attempt.fix)},
                        {"at", rfc3339(attempt.at)}});
  }
  responder.ok(json{{"v", 1},
                    {"peer", peer_name_json(info)},
                    {"path", path_json(info.path)},
                    {"attempts", std::move(attempts)}}
                   .dump());
}

void ControlApi::invite(const json& body, const Responder& responder) {
  node::InviteOptions options;
  if (body.value("hub", false)) options.role = Role::kHub;
  options.ttl = std::chrono::duration_cast<std::chrono::seconds>(seconds_of(body, "ttl", 1h));
  options.uses = body.value("uses", 1u);
  if (const auto tags = body.find("tags"); tags != body.end() && tags->is_object()) {
    for (const auto& [key, value] : tags->items()) {
      if (value.is_string()) options.tags.push_back({key, value.get<std::string>()});
    }
  }
  const auto token = daemon_.node().invite(io::now(), options);
  if (!token) return fail(responder, token.error());
  const auto expires = std::chrono::system_clock::now() + options.ttl;
  responder.ok(json{{"v", 1}, {"token", *token}, {"expires", rfc3339(expires)}}.dump());
}

void ControlApi::revoke(const json& body, const Responder& responder) {
  const std::string peer = text_at(body, "peer");
  if (const auto may = daemon_.node().may_revoke(); !may) return fail(responder, may.error());
  const auto id = daemon_.node().resolve(peer);
  if (!id) return fail(responder, id.error());
  const PeerInfo info = info_of(*id);
  const auto done = daemon_.node().revoke(io::now(), peer);
  if (!done) return fail(responder, done.error());
  responder.ok(json{{"v", 1}, {"id", info.id.text()}, {"name", info.name}}.dump());
}

void ControlApi::reload(const Responder& responder) {
  const auto plan = daemon_.reload();
  if (!plan) return fail(responder, plan.error());
  responder.ok(json{{"v", 1}, {"changed", plan->changed}, {"restart", plan->restart}}.dump());
}

// The answer comes when the new key is certified, stored and in use.
void ControlApi::rotate_key(const Responder& responder) {
  const auto entropy = io::entropy();
  if (!entropy) return fail(responder, entropy.error());
  Rng rng(*entropy);
  const auto begun =
      daemon_.node().rotate_session_key(io::now(), crypto::SessionSecret::generate(rng));
  if (!begun) return fail(responder, begun.error());
  rotating_ = responder;
}

void ControlApi::tell_rotated(const node::KeyRotated& rotated) {
  if (!rotating_) return;
  const Responder responder = *std::exchange(rotating_, std::nullopt);
  if (rotated.error) return fail(responder, *rotated.error);
  const node::PeerRecord& self = daemon_.node().self();
  const auto key = control::key_hash(crypto::IdentityPublic(self.session_key.bytes()));
  responder.ok(
      json{{"v", 1}, {"id", self.id.text()}, {"fingerprint", to_hex(bytes_of(key))}}.dump());
}

void ControlApi::wg_export(const json& body, const Responder& responder) {
  const auto exported = export_peer(daemon_, {.name = text_at(body, "name"),
                                              .via = text_at(body, "via"),
                                              .public_key = text_at(body, "public_key"),
                                              .endpoint = text_at(body, "endpoint")});
  if (!exported) return fail(responder, exported.error());
  responder.ok(exported->dump());
}

// `events` and `log`.
void ControlApi::lines(const control_api::LineRing& ring, const json& body,
                       const Responder& responder) {
  ring.stream(responder, {.follow = body.value("follow", false),
                          .last = body.value("last", control_api::LineRing::kLinesMax)});
}

// ---- messages ----

void ControlApi::message(const json& body, const Responder& responder) {
  const auto data = data_of(body);
  std::vector<std::string> peers;
  if (const auto list = body.find("peers"); list != body.end() && list->is_array()) {
    for (const json& peer : *list) {
      if (peer.is_string()) peers.push_back(peer.get<std::string>());
    }
  }
  if (!data || peers.empty()) return fail(responder, malformed());
  const std::string channel = text_at(body, "channel", "default");
  if (body.value("ack", false)) {
    const std::uint64_t call = next_++;
    acked_.emplace(call, AckedCall{responder, peers.size()});
    daemon_.node().send_acked(io::now(), call, peers, channel, *data,
                              seconds_of(body, "timeout", kDefaultAck));
    return;
  }
  if (!body.value("wait", true)) return send_now(body, peers, *data, responder);
  const Nanoseconds resolve_timeout = daemon_.config().network.resolve_timeout;
  const Instant known_by =
      io::now() + std::min(resolve_timeout, seconds_of(body, "timeout", resolve_timeout));
  Waiting waiting{responder, channel, *data, peers, known_by};
  if (try_message(waiting)) return;
  waiting_.push_back(std::move(waiting));
  schedule_retry();
}

// As the library's own node sends: a full window is the caller's to wait for, and what waits for an
// unknown peer comes back by `undelivered`.
void ControlApi::send_now(const json& body, const std::vector<std::string>& peers, ConstBytes data,
                          const Responder& responder) {
  const std::string channel = text_at(body, "channel", "default");
  const bool datagram = body.value("datagram", false);
  node::Node& node = daemon_.node();
  json failed = json::array();
  for (const std::string& peer : peers) {
    const auto sent = datagram ? node.send_datagram(io::now(), peer, channel, data)
                               : node.send(io::now(), peer, channel, data);
    if (!sent) failed.push_back(failed_json(peer, sent.error()));
  }
  responder.ok(json{{"v", 1}, {"failed", std::move(failed)}}.dump());
}

// False: a window is full, or a peer may become known; the client waits, which is its
// back-pressure. Each peer is tried whatever became of the others.
bool ControlApi::try_message(Waiting& waiting) {
  std::erase_if(waiting.peers, [&](const std::string& peer) {
    const auto error = try_peer(waiting, peer);
    if (error && error->code == Errc::kWouldBlock) return false;
    if (error) waiting.failed.push_back(failed_json(peer, *error));
    return true;
  });
  if (!waiting.peers.empty()) return false;
  waiting.responder.ok(json{{"v", 1}, {"failed", std::move(waiting.failed)}}.dump());
  return true;
}

// kWouldBlock: not yet. The node would keep a message to a stranger itself, and nobody would tell
// this command that none came.
std::optional<Error> ControlApi::try_peer(const Waiting& waiting, const std::string& peer) {
  const auto id = daemon_.node().resolve(peer);
  if (!id && io::now() < waiting.known_by && !daemon_.node().is_ambiguous(peer))
    return Error{Errc::kWouldBlock, "", ""};
  if (!id) return id.error();
  const auto sent = daemon_.node().send(io::now(), peer, waiting.channel, waiting.data);
  return sent ? std::nullopt : std::optional(sent.error());
}

void ControlApi::schedule_retry() {
  std::optional<Instant> next;
  const Instant now = io::now();
  for (const Waiting& waiting : waiting_) {
    // One whose time has passed waits for a window, which is an event.
    if (waiting.known_by > now) next = earlier(next, waiting.known_by);
  }
  if (!message_alarm_) {
    message_alarm_ = daemon_.loop().add_alarm([this] {
      retry_messages();
      daemon_.pump();
    });
  }
  daemon_.loop().set(*message_alarm_, next);
}

void ControlApi::retry_messages() {
  for (std::size_t left = waiting_.size(); left > 0; --left) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    if (waiting.responder.cancelled()) continue;
    if (!try_message(waiting)) waiting_.push_back(std::move(waiting));
  }
  schedule_retry();
}

void ControlApi::settle(const node::AckSettled& settled) {
  const auto it = acked_.find(settled.call);
  if (it == acked_.end()) return;
  AckedCall& call = it->second;
  if (settled.error) {
    call.failed.push_back(failed_json(settled.peer_text, *settled.error));
  }
  if (--call.open > 0) return;
  call.responder.ok(json{{"v", 1}, {"failed", std::move(call.failed)}}.dump());
  acked_.erase(it);
}

void ControlApi::subscribe(const json& body, const Responder& responder) {
  const std::uint64_t number = next_++;
  Subscriber subscriber{responder, {}, {}};
  if (const std::string channel = text_at(body, "channel"); !channel.empty()) {
    subscriber.channel = channel;
  }
  const auto channel = subscriber.channel;
  responder.begin();
  subscribers_.emplace(number, std::move(subscriber));
  io::EventLoop& loop = daemon_.loop();
  responder.on_cancelled([this, &loop, number] { loop.post([this, number] { unsubscribe(number); }); });
  responder.on_taken([this, &loop, number](std::size_t lines) {
    loop.post([this, number, lines] {
      confirm(number, lines);
      daemon_.pump();
    });
  });
  if (channel) {
    daemon_.node().subscribe(*channel);
  } else {
    daemon_.node().subscribe_all();
  }
}

void ControlApi::unsubscribe(std::uint64_t number) {
  const auto it = subscribers_.find(number);
  if (it == subscribers_.end()) return;
  if (it->second.channel) {
    daemon_.node().unsubscribe(*it->second.channel);
  } else {
    daemon_.node().unsubscribe_all();
  }
  subscribers_.erase(it);
}

void ControlApi::deliver(const Id& from, const std::string& channel) {
  if (!is_subscribed(channel)) return;
  while (auto message = daemon_.node().take_message(from, channel)) {
    const std::string text = line_of(from, channel, message->data);
    for (auto& [number, subscriber] : subscribers_) {
      if (subscriber.channel && *subscriber.channel != channel) continue;
      if (subscriber.responder.write_line(text)) {
        subscriber.unconfirmed.emplace_back(from, message->id);
      }
    }
  }
}

// Nobody is told that one was taken: the node knows no message by this number.
void ControlApi::deliver(const node::DatagramReceived& datagram) {
  constexpr std::uint64_t kNone = 0;
  if (!is_subscribed(datagram.channel)) return;
  const std::string text = line_of(datagram.from, datagram.channel, datagram.data);
  for (auto& [number, subscriber] : subscribers_) {
    if (subscriber.channel && *subscriber.channel != datagram.channel) continue;
    if (subscriber.responder.write_line(text)) {
      subscriber.unconfirmed.emplace_back(datagram.from, kNone);
    }
  }
}

std::string ControlApi::line_of(const Id& from, const std::string& channel, ConstBytes data) const {
  const PeerInfo info = info_of(from);
  json line{{"v", 1},
            {"at", rfc3339(std::chrono::system_clock::now())},
            {"from", {{"id", info.id.text()}, {"name", info.name}}},
            {"channel", channel}};
  put_data(line, data);
  return line.dump();
}

bool ControlApi::is_subscribed(const std::string& channel) const {
  for (const auto& [number, subscriber] : subscribers_) {
    if (!subscriber.channel || *subscriber.channel == channel) return true;
  }
  return false;
}

void ControlApi::confirm(std::uint64_t number, std::size_t lines) {
  const auto it = subscribers_.find(number);
  if (it == subscribers_.end()) return;
  auto& unconfirmed = it->second.unconfirmed;
  for (; lines > 0 && !unconfirmed.empty(); --lines) {
    daemon_.node().taken(unconfirmed.front().first, unconfirmed.front().second);
    unconfirmed.pop_front();
  }
}

// ---- ping ----

void ControlApi::ping(const json& body, const Responder& responder) {
  const std::string peer = text_at(body, "peer");
  const auto id = other(peer);
  if (!id) return fail(responder, id.error());
  const std::uint64_t number = next_++;
  Pinging pinging{.responder = responder, .peer = peer, .id = *id};
  pinging.count = body.value("count", 0u);
  pinging.size = body.value("size", std::size_t{56});
  pinging.interval = std::max(seconds_of(body, "interval", 1s), kPingEveryMin);
  pinging.until_direct = body.value("until_direct", false);
  io::EventLoop& loop = daemon_.loop();
  pinging.alarm = loop.add_alarm([this, number] { send_ping(number); });
  pings_.emplace(number, std::move(pinging));
  responder.on_cancelled([this, &loop, number] { loop.post([this, number] { end_ping(number); }); });
  send_ping(number);
}

void ControlApi::send_ping(std::uint64_t number) {
  const auto it = pings_.find(number);
  if (it == pings_.end()) return;
  Pinging& pinging = it->second;
  if (pinging.sent > 0 && !pinging.answered) ping_line(pinging, pinging.sent, std::nullopt);
  if (pinging.count > 0 && pinging.sent >= pinging.count) return end_ping(number);
  pinging.answered = false;
  ++pinging.sent;
  (void)daemon_.node().ping(io::now(), pinging.peer, number, pinging.sent, pinging.size);
  // The last one gets a second at least, however short the interval is.
  const bool last = pinging.count > 0 && pinging.sent == pinging.count;
  const Nanoseconds pause = last ? std::max<Nanoseconds>(pinging.interval, 1s) : pinging.interval;
  daemon_.loop().set(pinging.alarm, io::now() + pause);
}

void ControlApi::pong(const node::PongReceived& pong) {
  const auto it = pings_.find(pong.id);
  if (it == pings_.end() || it->second.id != pong.from) return;
  Pinging& pinging = it->second;
  if (pong.sequence != pinging.sent || pinging.answered) return;
  pinging.answered = true;
  ping_line(pinging, pong.sequence, pong.rtt);
  const bool direct = is_direct(info_of(pong.from).path.kind);
  const bool last = pinging.count > 0 && pinging.sent >= pinging.count;
  if (last || (pinging.until_direct && direct)) end_ping(pong.id);
}

void ControlApi::ping_line(Pinging& pinging, std::uint32_t sequence,
                           std::optional<Nanoseconds> rtt) {
  const PeerInfo info = info_of(pinging.id);
  const json seconds = rtt ? json(std::chrono::duration<double>(*rtt).count()) : json();
  pinging.responder.write_line(json{{"v", 1},
                                    {"seq", sequence},
                                    {"peer", peer_name_json(info)},
                                    {"path", path_json(info.path)},
                                    {"rtt", seconds}}
                                   .dump());
}

void ControlApi::end_ping(std::uint64_t number) {
  const auto it = pings_.find(number);
  if (it == pings_.end()) return;
  it->second.responder.finish();
  daemon_.loop().remove(it->second.alarm);
  pings_.erase(it);
}

// ---- wait ----

void ControlApi::wait(const json& body, const Responder& responder) {
  // Members are gossip's; who is online the sessions and tables say.
  if (text_at(body, "for").starts_with("members=")) return cluster_.wait(body, responder);
  Condition condition{responder, text_at(body, "for", "online"), text_at(body, "peer"), {}};
  if (body.contains("timeout") && body["timeout"].is_number()) {
    condition.deadline = io::now() + seconds_of(body, "timeout", 0s);
  }
  conditions_.emplace(next_++, std::move(condition));
  if (!condition_alarm_) {
    condition_alarm_ = daemon_.loop().add_alarm([this] { check_conditions(); });
  }
  check_conditions();
}

bool ControlApi::holds(const Condition& condition) const {
  const auto status = daemon_.node().status(io::now());
  if (!condition.peer.empty()) {
    const auto id = daemon_.node().resolve(condition.peer);
    if (!id) return is_online_stock_peer(status, condition.peer);
    const PeerInfo info = info_of(*id);
    if (condition.what == "direct") return is_direct(info.path.kind);
    return info.state == PeerState::kOnline;
  }
  for (const auto& hub : status.hubs) {
    if (hub.state == PeerState::kOnline) return true;
  }
  return false;
}

Error ControlApi::not_in_time(const Condition& condition) {
  if (condition.peer.empty()) {
    return {Errc::kTimeout, "no hub answered in time", "ginnel status"};
  }
  return {Errc::kTimeout, condition.peer + " was not " + condition.what + " in time",
          "ginnel why " + condition.peer};
}

void ControlApi::check_conditions() {
  const Instant now = io::now();
  for (auto it = conditions_.begin(); it != conditions_.end();) {
    Condition& condition = it->second;
    if (holds(condition)) {
      condition.responder.ok(R"({"v":1})");
      it = conditions_.erase(it);
    } else if (condition.deadline && *condition.deadline <= now) {
      fail(condition.responder, not_in_time(condition));
      it = conditions_.erase(it);
    } else if (condition.responder.cancelled()) {
      it = conditions_.erase(it);
    } else {
      ++it;
    }
  }
  if (!conditions_.empty()) daemon_.loop().set(*condition_alarm_, now + kConditionCheck);
}

void ControlApi::handle(const node::Event& event) {
  requests_.handle(event);
  watch_.handle(event);
  if (const auto* ready = std::get_if<node::MessageReady>(&event)) {
    deliver(ready->from, ready->channel);
  } else if (const auto* datagram = std::get_if<node::DatagramReceived>(&event)) {
    deliver(*datagram);
  } else if (const auto* settled = std::get_if<node::AckSettled>(&event)) {
    settle(*settled);
  } else if (const auto* got = std::get_if<node::PongReceived>(&event)) {
    pong(*got);
  } else if (const auto* lost = std::get_if<node::Undelivered>(&event)) {
    undelivered_.note(io::now(), info_of(lost->peer).name, *lost);
  } else if (const auto* rotated = std::get_if<node::KeyRotated>(&event)) {
    tell_rotated(*rotated);
  } else if (std::get_if<node::ChannelWritable>(&event) || std::get_if<node::PeerChanged>(&event)) {
    retry_messages();
  } else if (const auto* gossiped = std::get_if<node::Gossiped>(&event)) {
    members_.note(gossiped->event);
    cluster_.handle(gossiped->event);
  }
}

}  // namespace ginnel::runtime
