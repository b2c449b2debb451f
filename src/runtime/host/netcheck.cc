#include "runtime/host/netcheck.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ginnel::host {
namespace {

using Document = nlohmann::ordered_json;

Document seconds_of(const std::optional<Nanoseconds>& span) {
  return span ? Document(std::chrono::duration<double>(*span).count()) : Document();
}

Document hub_document(const SurveyedHub& hub) {
  const ProbeFinding& finding = hub.finding;
  const bool answered = finding.rtt.has_value();
  return {{"name", hub.name},
          {"endpoint", finding.endpoint.text()},
          {"state", answered ? "online" : "down"},
          {"rtt", seconds_of(finding.rtt)},
          {"mtu", answered ? Document(finding.mtu_bytes) : Document()},
          {"black_hole", finding.is_black_hole()},
          {"mapped", finding.mapped ? Document(finding.mapped->text()) : Document()},
          {"clock_offset", seconds_of(finding.clock_ahead)}};
}

bool is_of(const Address& address, bool v4) { return address.is_v4() == v4; }

// `udp`: null where no hub of this family is known.
Document family_document(const NetcheckInput& input, bool v4) {
  Document address = nullptr;
  if (input.network) {
    const auto own = runtime::addresses_of(*input.network, {}).addresses;
    const auto found =
        std::ranges::find_if(own, [&](const Address& one) { return is_of(one, v4); });
    if (found != own.end()) address = found->text();
  }
  Document udp = nullptr;
  Document mapped = nullptr;
  for (const SurveyedHub& hub : input.survey.hubs) {
    if (!is_of(hub.finding.endpoint.address, v4)) continue;
    udp = (udp.is_boolean() && udp.get<bool>()) || hub.finding.rtt.has_value();
    if (hub.finding.mapped && mapped.is_null()) mapped = hub.finding.mapped->text();
  }
  return {{"address", address}, {"udp", udp}, {"mapped", mapped}};
}

Document nat_document(const NetcheckInput& input) {
  const bool of_daemon = !input.daemon_mapping.empty();
  const stun::NatClass own = input.survey.nat.value_or(stun::NatClass{});
  return {{"mapping", of_daemon ? input.daemon_mapping : std::string(mapping_name(own.mapping))},
          {"filtering",
           of_daemon ? input.daemon_filtering : std::string(filtering_name(own.filtering))},
          {"of", of_daemon ? "daemon" : "own socket"}};
}

// Of all hubs: what every path carries.
Document least_mtu(const Survey& survey) {
  Document out = nullptr;
  for (const SurveyedHub& hub : survey.hubs) {
    if (!hub.finding.rtt) continue;
    if (out.is_null() || hub.finding.mtu_bytes < out.get<std::size_t>()) {
      out = hub.finding.mtu_bytes;
    }
  }
  return out;
}

}  // namespace

Document netcheck_json(const NetcheckInput& input) {
  Document hubs = Document::array();
  for (const SurveyedHub& hub : input.survey.hubs) hubs.push_back(hub_document(hub));
  for (const std::string& text : input.survey.unresolved) {
    hubs.push_back({{"name", text},
                    {"endpoint", nullptr},
                    {"state", "down"},
                    {"rtt", nullptr},
                    {"mtu", nullptr},
                    {"black_hole", false},
                    {"mapped", nullptr},
                    {"clock_offset", nullptr}});
  }
  return {{"v", 1},
          {"udp", hubs.empty() ? Document() : Document(input.survey.any_answer())},
          {"nat", nat_document(input)},
          {"ipv4", family_document(input, true)},
          {"ipv6", family_document(input, false)},
          {"mtu", least_mtu(input.survey)},
          {"clock_offset", seconds_of(input.survey.clock_ahead())},
          {"hubs", std::move(hubs)}};
}

}  // namespace ginnel::host
