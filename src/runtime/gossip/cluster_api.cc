#include "runtime/gossip/cluster_api.h"

#include "base/base64.h"
#include "io/clock.h"
#include "runtime/control/error_document.h"
#include "runtime/gossip/documents.h"
#include "runtime/gossip/drop_error.h"
#include "runtime/gossip/request_body.h"

namespace ginnel::gossip {
namespace {

constexpr Nanoseconds kDefaultWait = std::chrono::hours(24 * 365);
const char* const kOk = R"({"v":1})";

}  // namespace

bool ClusterApi::answer(const control_api::Request& request, const json& body,
                        const Responder& responder) {
  if (metadata_.answer(request, responder)) return true;
  const std::string& target = request.target;
  if (request.method == "GET") {
    if (target != "/v1/members") return false;
    members(responder);
    return true;
  }
  if (request.method != "POST") return false;
  if (target == "/v1/tags") {
    tags(body, responder);
  } else if (target == "/v1/event") {
    event(body, responder);
  } else if (target == "/v1/query") {
    query(body, responder);
  } else if (target == "/v1/wait") {
    wait(body, responder);
  } else if (target == "/v1/events") {
    host_.events().stream(responder, flag_at(body, "follow"), flag_at(body, "kept", true));
  } else {
    return false;
  }
  return true;
}

void ClusterApi::fail(const Responder& responder, const Error& error) const {
  responder.answer(control_api::http_status(error.code), control_api::error_document(error));
}

bool ClusterApi::require_serf(std::string_view what, const Responder& responder) const {
  if (swim::speaks_serf(host_.agent().app())) return true;
  fail(responder, {Errc::kWrongApp,
                   std::string(what) + ": only a serf cluster understands it, and this is none",
                   "ginnel msg sends raw bytes"});
  return false;
}

void ClusterApi::members(const Responder& responder) {
  responder.ok(dump(members_json(host_.agent(), this_moment())));
}

// ---- tags ----

void ClusterApi::tags(const json& body, const Responder& responder) {
  swim::serf::Tags set;
  if (const auto given = body.find("set"); given != body.end() && given->is_object()) {
    for (const auto& [name, value] : given->items()) {
      if (!value.is_string()) return fail(responder, malformed());
      set.insert_or_assign(name, value.get<std::string>());
    }
  }
  const auto done = host_.change_tags(set, texts_at(body, "del"));
  if (!done) return fail(responder, done.error());
  responder.ok(kOk);
}

// ---- events and queries ----

void ClusterApi::event(const json& body, const Responder& responder) {
  if (!require_serf("event", responder)) return;
  const auto data = data_of(body);
  const std::string name = text_at(body, "name");
  if (!data || name.empty()) return fail(responder, malformed());
  const auto sent = host_.agent().event(io::now(), name, *data, flag_at(body, "coalesce", true));
  if (!sent) {
    return fail(responder,
                {Errc::kTooLarge,
                 "event " + name + ": name and data together are at most 512 bytes", "send less"});
  }
  responder.ok(kOk);
}

void ClusterApi::query(const json& body, const Responder& responder) {
  if (!require_serf("query", responder)) return;
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
  const auto number = host_.agent().query(io::now(), name, *data, options);
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

void ClusterApi::handle_serf(const swim::serf::SerfEvent& event) {
  if (const auto* ack = std::get_if<swim::serf::QueryAck>(&event)) {
    const auto it = asking_.find(ack->query);
    if (it == asking_.end()) return;
    ++it->second.acks;
    it->second.responder.write_line(dump({{"v", 1}, {"event", "ack"}, {"from", ack->from}}));
  } else if (const auto* answer = std::get_if<swim::serf::QueryAnswer>(&event)) {
    const auto it = asking_.find(answer->query);
    if (it == asking_.end()) return;
    ++it->second.answers;
    it->second.responder.write_line(dump({{"v", 1},
                                          {"event", "response"},
                                          {"from", answer->from},
                                          {"data", to_base64(answer->payload)}}));
  } else if (const auto* done = std::get_if<swim::serf::QueryDone>(&event)) {
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

// ---- waiting ----

void ClusterApi::wait(const json& body, const Responder& responder) {
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
  io::EventLoop& loop = host_.loop();
  condition.alarm = loop.add_alarm([this, number] {
    const auto it = conditions_.find(number);
    if (it == conditions_.end()) return;
    const std::size_t alive = host_.agent().swim().alive_count();
    fail(it->second.responder, {Errc::kTimeout,
                                "wait: " + std::to_string(alive) + " members are alive, not " +
                                    std::to_string(it->second.members),
                                "ginnel members"});
    host_.loop().remove(it->second.alarm);
    conditions_.erase(it);
  });
  loop.set(condition.alarm, io::now() + seconds_at(body, "timeout", kDefaultWait));
  conditions_.emplace(number, std::move(condition));
  check_conditions();
}

void ClusterApi::check_conditions() {
  if (conditions_.empty()) return;
  const std::size_t alive = host_.agent().swim().alive_count();
  std::erase_if(conditions_, [&](const auto& entry) {
    const Condition& condition = entry.second;
    const bool over = condition.responder.cancelled();
    if (!over && alive < condition.members) return false;
    if (!over) condition.responder.ok(kOk);
    host_.loop().remove(condition.alarm);
    return true;
  });
}

void ClusterApi::handle(const swim::AgentEvent& event) {
  metadata_.handle(event);
  if (const auto* serf_event = std::get_if<swim::serf::SerfEvent>(&event)) {
    return handle_serf(*serf_event);
  }
  if (std::holds_alternative<swim::Event>(event)) check_conditions();
}

}  // namespace ginnel::gossip
