#include "runtime/attached/documents.h"

#include <cstdio>
#include <ctime>

#include "runtime/control/error_document.h"
#include "runtime/daemon/body.h"

namespace ginnel::runtime {
namespace {

using nlohmann::json;
using SystemClock = std::chrono::system_clock;

const json& object_at(const json& object, const char* key) {
  static const json none = json::object();
  const auto it = object.find(key);
  return it != object.end() && it->is_object() ? *it : none;
}

std::optional<double> number_at(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? std::optional(it->get<double>()) : std::nullopt;
}

std::uint64_t count_at(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
}

std::optional<std::chrono::nanoseconds> duration_at(const json& object, const char* key) {
  if (!number_at(object, key)) return std::nullopt;
  return seconds_of(object, key, Nanoseconds(0));
}

// RFC 3339 as the daemon writes it: in UTC, with milliseconds.
std::optional<SystemClock::time_point> time_at(const json& object, const char* key) {
  std::tm t{};
  int millis = 0;
  const std::string text = text_at(object, key);
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d.%3dZ", &t.tm_year, &t.tm_mon, &t.tm_mday,
                  &t.tm_hour, &t.tm_min, &t.tm_sec, &millis) != 7) {
    return std::nullopt;
  }
  t.tm_year -= 1900;
  t.tm_mon -= 1;
  return SystemClock::from_time_t(timegm(&t)) + std::chrono::milliseconds(millis);
}

PeerState state_at(const json& object) {
  const std::string text = text_at(object, "state");
  for (const PeerState state : {PeerState::kOnline, PeerState::kConnecting}) {
    if (text == peer_state_name(state)) return state;
  }
  return PeerState::kDown;
}

PathKind path_kind_of(const std::string& text) {
  for (const PathKind kind : {PathKind::kLan, PathKind::kDirect, PathKind::kPunched,
                              PathKind::kRelayUdp, PathKind::kRelayTcp}) {
    if (text == path_kind_name(kind)) return kind;
  }
  return PathKind::kNone;
}

PathInfo path_of(const json& row) {
  const json& path = object_at(row, "path");
  return {.kind = path_kind_of(text_at(path, "kind")),
          .via = text_at(path, "via"),
          .endpoint = text_at(path, "endpoint"),
          .reason = text_at(path, "reason"),
          .rtt = duration_at(row, "rtt"),
          .loss = number_at(row, "loss"),
          .mtu = count_at(path, "mtu")};
}

Losses losses_of(const json& row) {
  const json& losses = object_at(row, "losses");
  return {.messages_not_sent = count_at(losses, "messages_not_sent"),
          .messages_unknown = count_at(losses, "messages_unknown"),
          .lane_packets = count_at(losses, "lane_packets"),
          .ip_packets = count_at(losses, "ip_packets"),
          .frames = count_at(losses, "frames")};
}

}  // namespace

Id id_at(const json& object, const char* key) {
  return Id::parse(text_at(object, key)).value_or(Id());
}

PeerInfo peer_of(const json& row) {
  PeerInfo out{.id = id_at(row, "id"),
               .name = text_at(row, "name"),
               .addresses = {},
               .state = state_at(row),
               .path = path_of(row),
               .rx_bytes = count_at(row, "rx_bytes"),
               .tx_bytes = count_at(row, "tx_bytes"),
               .last_seen = time_at(row, "last_seen"),
               .losses = losses_of(row)};
  if (const auto list = row.find("addresses"); list != row.end() && list->is_array()) {
    for (const json& address : *list) {
      if (address.is_string()) out.addresses.push_back(address.get<std::string>());
    }
  }
  return out;
}

MemberInfo member_of(const json& row) {
  MemberInfo out{.id = {}, .name = text_at(row, "name"), .address = text_at(row, "address")};
  const std::string state = text_at(row, "state");
  for (const MemberState one : {MemberState::kSuspect, MemberState::kFailed, MemberState::kLeft}) {
    if (state == member_state_name(one)) out.state = one;
  }
  for (const auto& [tag, value] : object_at(row, "tags").items()) {
    if (value.is_string()) out.tags.emplace(tag, value.get<std::string>());
  }
  const auto accusers = row.find("suspected_by");
  if (accusers == row.end() || !accusers->is_array()) return out;
  for (const json& name : *accusers) {
    if (name.is_string()) out.suspected_by.push_back(name.get<std::string>());
  }
  return out;
}

HubInfo hub_of(const json& row) {
  return {.id = id_at(row, "id"),
          .name = text_at(row, "name"),
          .state = state_at(row),
          .endpoint = text_at(row, "endpoint"),
          .rtt = duration_at(row, "rtt")};
}

Attempt attempt_of(const json& row) {
  return {.local = text_at(row, "local"),
          .remote = text_at(row, "remote"),
          .kind = text_at(row, "kind"),
          .result = text_at(row, "result"),
          .reason = text_at(row, "reason"),
          .fix = text_at(row, "fix"),
          .at = time_at(row, "at").value_or(SystemClock::time_point())};
}

Error error_of(const json& row) {
  const std::string code = text_at(row, "code");
  return {control_api::errc_from_name(code).value_or(Errc::kInternal), text_at(row, "text"),
          text_at(row, "hint")};
}

Message message_of(const json& line, std::string channel) {
  const json& from = object_at(line, "from");
  return Message::owning(id_at(from, "id"), text_at(from, "name"), std::move(channel),
                         data_of(line).value_or(ByteVector()));
}

}  // namespace ginnel::runtime
