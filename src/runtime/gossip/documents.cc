#include "runtime/gossip/documents.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "io/clock.h"

namespace ginnel::gossip {
namespace {

using nlohmann::json;
using swim::App;

constexpr std::int64_t kSecond = 1'000'000'000;

json tags_json(const swim::MemberInfo& member, const swim::Agent& agent) {
  const auto tags = agent.app() == App::kSerf
                        ? std::optional(swim::serf::tags_as_serf_shows_them(member.meta))
                        : agent.tags_of(member);
  json out = json::object();
  for (const auto& [key, value] : tags.value_or(swim::serf::Tags())) out[key] = value;
  return out;
}

// An event of Swim's by its kind.
class SwimEvent {
 public:
  SwimEvent(const swim::Agent& agent, const Moment& at) : agent_(agent), at_(at) {}

  json operator()(const swim::Joined& e) const { return of("join", e.member); }
  json operator()(const swim::Updated& e) const { return of("update", e.member); }
  json operator()(const swim::Cleared& e) const { return of("alive", e.member); }
  json operator()(const swim::Left& e) const { return of("leave", e.member); }
  json operator()(const swim::Reaped& e) const { return of("reap", e.member); }
  json operator()(const swim::Suspected& e) const { return of("suspect", e.member, e.by); }
  json operator()(const swim::Failed& e) const { return of("fail", e.member, e.by); }
  json operator()(const swim::Refuted& e) const {
    return event_json("refute", {{"incarnation", e.incarnation.value()}, {"by", e.by}}, at_);
  }
  json operator()(const swim::Conflict& e) const {
    return event_json("conflict",
                      {{"member", member_json(e.kept, agent_, at_)}, {"other", e.other.text()}}, at_);
  }
  json operator()(const swim::UserMessage& e) const {
    return event_json("user", {{"data", to_base64(e.bytes)}}, at_);
  }
  template <class Other>
  json operator()(const Other&) const {
    return {};
  }

 private:
  json of(std::string_view name, const swim::MemberInfo& member) const {
    return event_json(name, {{"member", member_json(member, agent_, at_)}}, at_);
  }
  json of(std::string_view name, const swim::MemberInfo& member, const std::string& by) const {
    return event_json(name, {{"member", member_json(member, agent_, at_)}, {"by", by}}, at_);
  }

  const swim::Agent& agent_;
  const Moment& at_;
};

class SerfEvent {
 public:
  explicit SerfEvent(const Moment& at) : at_(at) {}

  json operator()(const swim::serf::EventArrived& e) const {
    return event_json("event",
                      {{"name", e.name}, {"data", to_base64(e.payload)}, {"ltime", e.ltime}}, at_);
  }
  json operator()(const swim::serf::QueryArrived& e) const {
    return event_json(
        "query",
        {{"name", e.name}, {"data", to_base64(e.payload)}, {"ltime", e.ltime}, {"from", e.from}},
        at_);
  }
  json operator()(const swim::serf::KeyChanged& e) const {
    return event_json("key", {{"op", op_name(e.op)}, {"fingerprint", e.fingerprint}}, at_);
  }
  template <class Other>
  json operator()(const Other&) const {
    return {};
  }

 private:
  const Moment& at_;
};

std::string at(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// Data that people can read, else its size.
std::string shown(const std::string& base64) {
  const auto bytes = from_base64(base64);
  if (!bytes || bytes->empty()) return "";
  const auto printable = [](std::byte b) { return b >= std::byte{0x20} && b != std::byte{0x7f}; };
  if (std::ranges::all_of(*bytes, printable)) return " " + std::string(text_of(*bytes));
  return " (" + std::to_string(bytes->size()) + " bytes)";
}

std::string detail_of(const json& event, const std::string& name) {
  if (name == "ready") {
    return at(event, "name") + " on " + at(event, "bind") + " as " + at(event, "advertise") +
           ", app " + at(event, "app");
  }
  if (name == "joined") return "via " + at(event, "via") + ", members " + at(event, "members");
  if (name == "join_failed") {
    return at(event, "address") + ": " + at(event, "text") + " [" + at(event, "code") + "]";
  }
  if (name == "refute") {
    const std::string by = at(event, "by");
    return (by.empty() ? "" : "we were accused by " + by + "; ") + "incarnation " +
           at(event, "incarnation");
  }
  if (name == "conflict") return ", kept; claimed by " + at(event, "other");
  if (name == "user") return shown(at(event, "data"));
  if (name == "key") return at(event, "op") + " " + at(event, "fingerprint");
  if (name == "query")
    return at(event, "name") + " from " + at(event, "from") + shown(at(event, "data"));
  if (name == "event") return at(event, "name") + shown(at(event, "data"));
  const std::string by = at(event, "by");
  return by.empty() ? "" : ", said " + by;
}

}  // namespace

Moment this_moment() { return {io::now(), io::wall()}; }

std::string_view app_name(App app) {
  switch (app) {
    case App::kNone:
      return "none";
    case App::kSerf:
      return "serf";
    case App::kGinnel:
      return "ginnel";
  }
  return "";
}

std::string_view state_name(swim::State state) {
  switch (state) {
    case swim::State::kAlive:
      return "alive";
    case swim::State::kSuspect:
      return "suspect";
    case swim::State::kDead:
      return "failed";
    case swim::State::kLeft:
      return "left";
  }
  return "";
}

std::string_view op_name(swim::serf::KeyOp op) {
  switch (op) {
    case swim::serf::KeyOp::kInstall:
      return "install";
    case swim::serf::KeyOp::kUse:
      return "use";
    case swim::serf::KeyOp::kRemove:
      return "rm";
    case swim::serf::KeyOp::kList:
      return "ls";
  }
  return "";
}

std::string rfc3339(Wall wall) {
  const std::time_t seconds = wall.ns / kSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[48];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const std::string millis = std::to_string(1000 + wall.ns % kSecond / 1'000'000).substr(1);
  return std::string(text, size) + "." + millis + "Z";
}

json member_json(const swim::MemberInfo& member, const swim::Agent& agent, const Moment& at) {
  const swim::Vsn& v = member.vsn;
  return {{"name", member.name},
          {"address", member.endpoint.text()},
          {"state", state_name(member.state)},
          {"incarnation", member.incarnation.value()},
          {"tags", tags_json(member, agent)},
          {"meta", to_base64(member.meta)},
          {"vsn", {v.p_min, v.p_max, v.p_cur, v.d_min, v.d_max, v.d_cur}},
          {"since", rfc3339({at.wall.ns - (at.now - member.since).count()})},
          {"suspected_by", member.suspected_by}};
}

json members_json(const swim::Agent& agent, const Moment& at) {
  json rows = json::array();
  for (const swim::MemberInfo& member : agent.members()) {
    rows.push_back(member_json(member, agent, at));
  }
  return {{"v", 1},
          {"self", agent.swim().config().name},
          {"app", app_name(agent.app())},
          {"members", std::move(rows)}};
}

json event_json(std::string_view name, json more, const Moment& at) {
  json out = {{"v", 1}, {"time", rfc3339(at.wall)}, {"event", name}};
  if (more.is_object()) out.update(more);
  return out;
}

json event_json(const swim::AgentEvent& event, const swim::Agent& agent, const Moment& at) {
  if (const auto* swim_event = std::get_if<swim::Event>(&event)) {
    return std::visit(SwimEvent(agent, at), *swim_event);
  }
  if (const auto* serf_event = std::get_if<swim::serf::SerfEvent>(&event)) {
    return std::visit(SerfEvent(at), *serf_event);
  }
  return {};
}

std::string dump(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string human_line(const json& event) {
  const std::string name = at(event, "event");
  std::string out = at(event, "time").substr(11, 12) + " " + name;
  if (const auto member = event.find("member"); member != event.end()) {
    return out + " " + at(*member, "name") + " " + at(*member, "address") + detail_of(event, name);
  }
  const std::string detail = detail_of(event, name);
  return detail.empty() ? out : out + " " + detail;
}

}  // namespace ginnel::gossip
