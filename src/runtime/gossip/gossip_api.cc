#include "runtime/gossip/gossip_api.h"

#include "base/base64.h"
#include "io/clock.h"
#include "runtime/control/error_document.h"
#include "runtime/gossip/documents.h"
#include "runtime/gossip/drop_error.h"
#include "runtime/gossip/member.h"
#include "runtime/gossip/metrics.h"

namespace ginnel::gossip {
namespace {

using nlohmann::json;
using swim::App;
using swim::serf::KeyOp;

constexpr Nanoseconds kDefaultWait = std::chrono::hours(24 * 365);

std::string text_at(const json& body, const char* key, std::string otherwise = {}) {
  const auto it = body.find(key);
  return it != body.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

bool flag_at(const json& body, const char* key, bool otherwise = false) {
  const auto it = body.find(key);
  return it != body.end() && it->is_boolean() ? it->get<bool>() : otherwise;
}

std::vector<std::string> texts_at(const json& body, const char* key) {
  std::vector<std::string> out;
  const auto it = body.find(key);
  if (it == body.end() || !it->is_array()) return out;
  for (const json& entry : *it) {
    if (entry.is_string()) out.push_back(entry.get<std::string>());
  }
  return out;
}

Nanoseconds seconds_at(const json& body, const char* key, Nanoseconds otherwise) {
  const auto it = body.find(key);
  if (it == body.end() || !it->is_number()) return otherwise;
  const double seconds = it->get<double>();
  if (!(seconds > 0) || seconds > 1e7) return otherwise;
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(seconds));
}

// `data` as text, or `data_b64`; neither is nothing. nullopt: not base64.
std::optional<ByteVector> data_of(const json& body) {
  if (const auto it = body.find("data"); it != body.end() && it->is_string()) {
    return to_vector(bytes_of(it->get_ref<const std::string&>()));
  }
  return from_base64(text_at(body, "data_b64"));
}

Error malformed() { return {Errc::kUsage, "the request is malformed", ""}; }

json failed_row(const std::string& peer, const Error& error) {
  return {{"peer", peer}, {"code", code_name(error.code)}, {"text", error.text}};
}

const char* const kOk = R"({"v":1})";

}  // namespace

GossipApi::GossipApi(Member& member) : member_(member), metadata_(member.agent()) {}

void GossipApi::answer(const control_api::Request& request, const Responder& responder) {
  if (!metadata_.answer(request, responder)) dispatch(request, responder);
  member_.engine().pump();
}

void GossipApi::fail(const Responder& responder, const Error& error) const {
  responder.answer(control_api::http_status(error.code), control_api::error_document(error));
}

void GossipApi::dispatch(const control_api::Request& request, const Responder& responder) {
  json body = json::object();
  if (!request.body.empty()) {
    body = json::parse(request.body, nullptr, false);
    if (!body.is_object()) return fail(responder, malformed());
  }
  const std::string& target = request.target;
  if (request.method == "GET") {
    if (target == "/v1/members") return members(responder);
    if (target == "/v1/key") return key("ls", body, responder);
  } else if (request.method == "POST") {
    if (target == "/v1/tags") return tags(body, responder);
    if (target == "/v1/msg") return message(body, responder);
    if (target == "/v1/event") return event(body, responder);
    if (target == "/v1/query") return query(body, responder);
    if (target == "/v1/wait") return wait(body, responder);
    if (target == "/v1/events") {
      return member_.events().stream(responder, flag_at(body, "follow"),
                                     flag_at(body, "kept", true));
    }
    if (target.starts_with("/v1/key/")) return key(target.substr(8), body, responder);
    if (target == "/v1/leave" || target == "/v1/down") {
      leaving_.push_back(responder);
      return member_.leave();
    }
  }
  fail(responder,
       {Errc::kUsage, "a gossip member knows no " + request.method + " " + target.substr(0, 64),
        "ginnel help gossip"});
}

void GossipApi::answer_http(const control_api::Request& request, const Responder& responder) {
  const std::string target = request.target.substr(0, request.target.find('?'));
  if (request.method != "GET") {
    return responder.answer(
        405, control_api::error_document({Errc::kUsage, "reading only: " + request.method, ""}));
  }
  if (target == "/members") return members(responder);
  if (target == "/meta") return metadata(responder);
  if (target == "/metrics") return metrics(responder);
  if (target == "/events") return member_.events().stream(responder, true, false);
  responder.answer(404, control_api::error_document(
                            {Errc::kUsage, "there are /members, /meta, /metrics and /events", ""}));
}

// kGinnel has both: serf's messages, and raw ones under a byte of their own.
bool GossipApi::require(App app, std::string_view what, const Responder& responder) const {
  if (member_.agent().app() == app || member_.agent().app() == App::kGinnel) return true;
  const bool serf = app == App::kSerf;
  const Error error = {
      Errc::kWrongApp,
      std::string(what) + (serf ? ": only a serf cluster understands it, and this is none"
                                : ": serf would misread raw bytes"),
      serf ? "ginnel msg sends raw bytes" : "ginnel event NAME DATA, or ginnel query"};
  fail(responder, error);
  return false;
}

// ---- reading ----

void GossipApi::members(const Responder& responder) {
  responder.ok(dump(members_json(member_.agent(), this_moment())));
}

void GossipApi::metadata(const Responder& responder) {
  const auto self = member_.agent().member(member_.agent().swim().config().name);
  const json row = member_json(*self, member_.agent(), this_moment());
  responder.ok(
      dump({{"v", 1}, {"self", row["name"]}, {"meta", row["meta"]}, {"tags", row["tags"]}}));
}

void GossipApi::metrics(const Responder& responder) {
  responder.metrics(metrics_text(member_.engine()));
}

// ---- tags ----

void GossipApi::tags(const json& body, const Responder& responder) {
  swim::serf::Tags tags = member_.agent().tags();
  if (const auto set = body.find("set"); set != body.end() && set->is_object()) {
    for (const auto& [name, value] : set->items()) {
      if (!value.is_string()) return fail(responder, malformed());
      tags.insert_or_assign(name, value.get<std::string>());
    }
  }
  for (const std::string& name : texts_at(body, "del")) tags.erase(name);
  const auto done = member_.agent().set_tags(io::now(), std::move(tags));
  if (!done) {
    return fail(responder, {Errc::kUsage, "tags: together they take more than 512 bytes",
                            "shorten them, or take some out with ginnel tags del"});
  }
  responder.ok(kOk);
}

// ---- messages ----

void GossipApi::message(const json& body, const Responder& responder) {
  if (!require(App::kNone, "msg", responder)) return;
  const auto data = data_of(body);
  if (!data) return fail(responder, malformed());
  if (!flag_at(body, "all")) {
    return flag_at(body, "udp") ? send_best_effort(body, *data, responder)
                                : send_reliable(body, *data, responder);
  }
  const auto sent = member_.agent().broadcast(io::now(), *data);
  if (!sent) return fail(responder, drop_error(sent.error(), "msg --all"));
  responder.ok(json{{"v", 1}, {"failed", json::array()}}.dump());
}

void GossipApi::send_best_effort(const json& body, const ByteVector& data,
                                 const Responder& responder) {
  json failed = json::array();
  for (const std::string& peer : texts_at(body, "peers")) {
    const auto sent = member_.agent().send_best_effort(io::now(), peer, data);
    if (!sent) failed.push_back(failed_row(peer, drop_error(sent.error(), "msg " + peer)));
  }
  responder.ok(dump({{"v", 1}, {"failed", std::move(failed)}}));
}

void GossipApi::send_reliable(const json& body, const ByteVector& data,
                              const Responder& responder) {
  const std::uint64_t number = next_++;
  Sending& sending = sending_.emplace(number, Sending{responder, {}}).first->second;
  for (const std::string& peer : texts_at(body, "peers")) {
    const auto stream = member_.agent().send_reliable(io::now(), peer, data);
    if (stream)
      sending.open.emplace(*stream, peer);
    else
      sending.failed.push_back(failed_row(peer, drop_error(stream.error(), "msg " + peer)));
  }
  if (!sending.open.empty()) return;
  responder.ok(dump({{"v", 1}, {"failed", std::move(sending.failed)}}));
  sending_.erase(number);
}

void GossipApi::settle(swim::StreamId stream, bool sent) {
  for (auto it = sending_.begin(); it != sending_.end(); ++it) {
    Sending& sending = it->second;
    const auto found = sending.open.find(stream);
    if (found == sending.open.end()) continue;
    if (!sent) {
      sending.failed.push_back(
          failed_row(found->second, {Errc::kUnreachable, "it does not answer", ""}));
    }
    sending.open.erase(found);
    if (!sending.open.empty()) return;
    sending.responder.ok(dump({{"v", 1}, {"failed", std::move(sending.failed)}}));
    sending_.erase(it);
    return;
  }
}

// ---- events and queries ----

void GossipApi::event(const json& body, const Responder& responder) {
  if (!require(App::kSerf, "event", responder)) return;
  const auto data = data_of(body);
  const std::string name = text_at(body, "name");
  if (!data || name.empty()) return fail(responder, malformed());
  const auto sent = member_.agent().event(io::now(), name, *data, flag_at(body, "coalesce", true));
  if (!sent) {
    return fail(responder,
                {Errc::kTooLarge,
                 "event " + name + ": name and data together are at most 512 bytes", "send less"});
  }
  responder.ok(kOk);
}

void GossipApi::query(const json& body, const Responder& responder) {
  if (!require(App::kSerf, "query", responder)) return;
  const auto data = data_of(body);
  const std::string name = text_at(body, "name");
  if (!data || name.empty()) return fail(responder, malformed());
  swim::serf::QueryOptions options{.timeout = seconds_at(body, "timeout", 0ns),
                                   .ack = flag_at(body, "ack", true),
                                   .names = texts_at(body, "nodes"),
                                   .tags = {}};
  if (const auto tags = body.find("tags"); tags != body.end() && tags->is_object()) {
    for (const auto& [tag, pattern] : tags->items()) {
      if (pattern.is_string()) options.tags.emplace_back(tag, pattern.get<std::string>());
    }
  }
  const auto number = member_.agent().query(io::now(), name, *data, options);
  if (!number) {
    return fail(responder, number.error() == swim::Drop::kTooLarge
                               ? Error{Errc::kTooLarge,
                                       "query " + name +
                                           ": at most 1024 bytes "
                                           "with its name and filters",
                                       "send less"}
                               : drop_error(number.error(), "query " + name));
  }
  asking_.emplace(*number, Asking{responder});
}

void GossipApi::handle_serf(const swim::serf::SerfEvent& event) {
  if (const auto* ack = std::get_if<swim::serf::QueryAck>(&event)) {
    const auto it = asking_.find(ack->query);
    if (it == asking_.end()) return;
    ++it->second.acks;
    it->second.responder.write_line(dump({{"v", 1}, {"event", "ack"}, {"from", ack->from}}));
  } else if (const auto* answer = std::get_if<swim::serf::QueryAnswer>(&event)) {
    if (const auto change = key_changes_.find(answer->query); change != key_changes_.end()) {
      return key_answer(change->first, change->second, *answer);
    }
    const auto it = asking_.find(answer->query);
    if (it == asking_.end()) return;
    ++it->second.answers;
    it->second.responder.write_line(dump({{"v", 1},
                                          {"event", "response"},
                                          {"from", answer->from},
                                          {"data", to_base64(answer->payload)}}));
  } else if (const auto* done = std::get_if<swim::serf::QueryDone>(&event)) {
    if (key_changes_.contains(done->query)) return end_key_change(done->query);
    const auto it = asking_.find(done->query);
    if (it == asking_.end()) return;
    it->second.responder.write_line(dump({{"v", 1},
                                          {"event", "done"},
                                          {"acks", it->second.acks},
                                          {"responses", it->second.answers}}));
    it->second.responder.finish();
    asking_.erase(it);
  }
}

// ---- keys ----

void GossipApi::key(const std::string& verb, const json& body, const Responder& responder) {
  static const std::map<std::string, KeyOp> kOps = {{"install", KeyOp::kInstall},
                                                    {"use", KeyOp::kUse},
                                                    {"rm", KeyOp::kRemove},
                                                    {"ls", KeyOp::kList}};
  const auto op = kOps.find(verb);
  const auto parsed = parse_key(text_at(body, "key"));
  if (op == kOps.end() || (op->second != KeyOp::kList && !parsed)) {
    return fail(responder, {Errc::kUsage, "key " + verb + ": this is no key",
                            "a key is base64 of 16, 24 or 32 bytes"});
  }
  if (!member_.has_keys()) {
    return fail(responder, {Errc::kKeyUnreadable, "key " + verb + ": this member has no keys",
                            "start it with --key-file F"});
  }
  const ConstBytes bytes = parsed ? parsed->bytes() : ConstBytes();
  if (!swim::speaks_serf(member_.agent().app())) return own_key(op->second, bytes, responder);
  const auto number = member_.agent().key_query(io::now(), op->second, bytes);
  if (!number) return fail(responder, drop_error(number.error(), "key " + verb));
  key_changes_.emplace(*number, KeyChange{.responder = responder,
                                          .op = op->second,
                                          .members = member_.agent().swim().alive_count()});
}

// Plain memberlist has no messages about keys, so only this member's ring can change.
void GossipApi::own_key(KeyOp op, ConstBytes key, const Responder& responder) {
  const auto outcome = member_.agent().change_keys(op, key);
  if (!outcome.response.result) {
    return fail(responder, {Errc::kRefused,
                            "key " + std::string(op_name(op)) + ": " + outcome.response.message,
                            "ginnel key ls"});
  }
  json keys = json::array();
  const swim::KeyRing& ring = member_.agent().keys();
  for (std::size_t i = 0; i < ring.size(); ++i) {
    keys.push_back(
        {{"fingerprint", swim::fingerprint_of(ring.key(i))}, {"members", 1}, {"primary", i == 0}});
  }
  responder.ok(dump({{"v", 1},
                     {"scope", "member"},
                     {"members", 1},
                     {"answered", 1},
                     {"failed", json::array()},
                     {"keys", std::move(keys)}}));
}

void GossipApi::key_answer(swim::serf::QueryNumber number, KeyChange& change,
                           const swim::serf::QueryAnswer& answer) {
  using swim::serf::KeyResponse;
  ++change.answered;
  const bool typed = !answer.payload.empty() &&
                     answer.payload[0] == static_cast<std::byte>(swim::serf::Type::kKeyResponse);
  const auto response = typed ? KeyResponse::parse(ConstBytes(answer.payload).subspan(1))
                              : Result<KeyResponse, swim::Drop>(Fail(swim::Drop::kMalformed));
  if (!response || !response->result) {
    const std::string why = response ? response->message : "an answer that cannot be read";
    change.failed.push_back(failed_row(answer.from, {Errc::kRefused, why, ""}));
  } else {
    for (const std::string& text : response->keys) {
      if (const auto key = parse_key(text)) ++change.holders[swim::fingerprint_of(key->bytes())];
    }
    if (const auto key = parse_key(response->primary_key)) {
      change.primaries.insert(swim::fingerprint_of(key->bytes()));
    }
  }
  // key_manager.go: "return early if all nodes responded".
  if (change.answered >= change.members) end_key_change(number);
}

void GossipApi::end_key_change(swim::serf::QueryNumber number) {
  const auto it = key_changes_.find(number);
  KeyChange change = std::move(it->second);
  key_changes_.erase(it);
  json keys = json::array();
  for (const auto& [fingerprint, members] : change.holders) {
    keys.push_back({{"fingerprint", fingerprint},
                    {"members", members},
                    {"primary", change.primaries.contains(fingerprint)}});
  }
  change.responder.ok(dump({{"v", 1},
                            {"scope", "cluster"},
                            {"members", change.members},
                            {"answered", change.answered},
                            {"failed", std::move(change.failed)},
                            {"keys", std::move(keys)}}));
}

// ---- waiting ----

void GossipApi::wait(const json& body, const Responder& responder) {
  const std::string what = text_at(body, "for", "online");
  Condition condition{responder, 0, {}};
  if (what.starts_with("members=")) {
    condition.members = static_cast<std::size_t>(std::strtoul(what.c_str() + 8, nullptr, 10));
  } else if (what != "online") {
    return fail(responder, {Errc::kUsage,
                            "wait --for " + what +
                                ": a gossip member knows only "
                                "members=N",
                            "ginnel wait --help"});
  }
  const std::uint64_t number = next_++;
  io::EventLoop& loop = member_.engine().loop();
  condition.alarm = loop.add_alarm([this, number] {
    const auto it = conditions_.find(number);
    if (it == conditions_.end()) return;
    const std::size_t alive = member_.agent().swim().alive_count();
    fail(it->second.responder, {Errc::kTimeout,
                                "wait: " + std::to_string(alive) + " members are alive, not " +
                                    std::to_string(it->second.members),
                                "ginnel members"});
    member_.engine().loop().remove(it->second.alarm);
    conditions_.erase(it);
  });
  loop.set(condition.alarm, io::now() + seconds_at(body, "timeout", kDefaultWait));
  conditions_.emplace(number, std::move(condition));
  check_conditions();
}

void GossipApi::check_conditions() {
  if (conditions_.empty()) return;
  const std::size_t alive = member_.agent().swim().alive_count();
  std::erase_if(conditions_, [&](const auto& entry) {
    const Condition& condition = entry.second;
    const bool over = condition.responder.cancelled();
    if (!over && alive < condition.members) return false;
    if (!over) condition.responder.ok(kOk);
    member_.engine().loop().remove(condition.alarm);
    return true;
  });
}

void GossipApi::handle(const swim::AgentEvent& event) {
  metadata_.handle(event);
  if (const auto* serf_event = std::get_if<swim::serf::SerfEvent>(&event)) {
    return handle_serf(*serf_event);
  }
  if (std::holds_alternative<swim::Gone>(event)) {
    for (const Responder& responder : leaving_) responder.ok(kOk);
    leaving_.clear();
  }
  const auto* swim_event = std::get_if<swim::Event>(&event);
  if (swim_event == nullptr) return;
  if (const auto* done = std::get_if<swim::SendDone>(swim_event)) settle(done->stream, done->sent);
  check_conditions();
}

}  // namespace ginnel::gossip
