#include "runtime/gossip/gossip_api.h"

#include "base/base64.h"
#include "io/clock.h"
#include "runtime/control/error_document.h"
#include "runtime/gossip/documents.h"
#include "runtime/gossip/drop_error.h"
#include "runtime/gossip/member.h"
#include "runtime/gossip/metrics.h"
#include "runtime/gossip/request_body.h"

namespace ginnel::gossip {
namespace {

using nlohmann::json;
using swim::App;
using swim::serf::KeyOp;

const char* const kOk = R"({"v":1})";

}  // namespace

GossipApi::GossipApi(Member& member) : member_(member), cluster_(member) {}

void GossipApi::answer(const control_api::Request& request, const Responder& responder) {
  dispatch(request, responder);
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
  if (cluster_.answer(request, body, responder)) return;
  const std::string& target = request.target;
  if (request.method == "GET") {
    if (target == "/v1/key") return key("ls", body, responder);
  } else if (request.method == "POST") {
    if (target == "/v1/msg") return message(body, responder);
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
  if (target == "/members") return cluster_.members(responder);
  if (target == "/meta") return metadata(responder);
  if (target == "/metrics") return metrics(responder);
  if (target == "/events") return member_.events().stream(responder, true, false);
  responder.answer(404, control_api::error_document(
                            {Errc::kUsage, "there are /members, /meta, /metrics and /events", ""}));
}

// kGinnel has both: serf's messages, and raw ones under a byte of their own.
bool GossipApi::require_raw(std::string_view what, const Responder& responder) const {
  if (member_.agent().app() != App::kSerf) return true;
  fail(responder, {Errc::kWrongApp, std::string(what) + ": serf would misread raw bytes",
                   "ginnel event NAME DATA, or ginnel query"});
  return false;
}

// ---- reading ----

void GossipApi::metadata(const Responder& responder) {
  const auto self = member_.agent().member(member_.agent().swim().config().name);
  const json row = member_json(*self, member_.agent(), this_moment());
  responder.ok(
      dump({{"v", 1}, {"self", row["name"]}, {"meta", row["meta"]}, {"tags", row["tags"]}}));
}

void GossipApi::metrics(const Responder& responder) {
  responder.metrics(metrics_text(member_.engine()));
}

// ---- messages ----

void GossipApi::message(const json& body, const Responder& responder) {
  if (!require_raw("msg", responder)) return;
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

// ---- keys ----

void GossipApi::handle_serf(const swim::serf::SerfEvent& event) {
  if (const auto* answer = std::get_if<swim::serf::QueryAnswer>(&event)) {
    const auto change = key_changes_.find(answer->query);
    if (change != key_changes_.end()) key_answer(change->first, change->second, *answer);
  } else if (const auto* done = std::get_if<swim::serf::QueryDone>(&event)) {
    if (key_changes_.contains(done->query)) end_key_change(done->query);
  }
}

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

void GossipApi::handle(const swim::AgentEvent& event) {
  cluster_.handle(event);
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
}

}  // namespace ginnel::gossip
