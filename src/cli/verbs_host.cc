// doctor, netcheck: this host, and the network around it. Neither needs a daemon; both ask one that
// runs for what only it can know.
#include <algorithm>
#include <chrono>

#include "cli/bugreport.h"
#include "cli/daemon.h"
#include "cli/render_host.h"
#include "runtime/host/doctor.h"
#include "runtime/host/netcheck.h"

namespace ginnel::cli {
namespace {

constexpr int kUnwell = 8;
constexpr int kNobodyAnswered = 6;
// A daemon that is busy or stuck must not hold up the verb that looks for faults.
constexpr auto kStatusTime = std::chrono::seconds(3);

// The status of the folder's daemon. nullopt: none that answers us.
std::optional<Json> running_status(const Context& context, const Arguments& arguments) {
  auto client = connect(context, arguments);
  if (!client) return std::nullopt;
  client->set_timeout(kStatusTime);
  const auto answer = client->call({"GET", "/v1/status"});
  if (!answer) return std::nullopt;
  return parse_document(*answer);
}

host::Daemon daemon_view(const std::optional<Json>& status) {
  if (!status) return std::nullopt;
  const Json& self = child(*status, "self");
  const Json& listen = child(self, "listen");
  host::DaemonView out;
  out.tun = number_at(self, "mtu").has_value();
  if (listen.is_array() && !listen.empty() && listen[0].is_string()) out.listen = listen[0];
  return out;
}

Json check_json(const host::Check& check) {
  return {{"code", check.code},
          {"severity", host::severity_name(check.severity)},
          {"text", check.text},
          {"fix", check.fix.empty() ? Json() : Json(check.fix)}};
}

Json diagnosis_json(const host::Diagnosis& found, bool with_mended) {
  Json checks = Json::array();
  for (const host::Check& check : found.checks) checks.push_back(check_json(check));
  Json out = {{"v", 1}, {"checks", std::move(checks)}};
  if (with_mended) out["mended"] = found.mended;
  return out;
}

Outcome run_doctor(Context& context, const Arguments& arguments) {
  const bool fix = arguments.has("--fix");
  host::DoctorOptions options{.places = places_of(context, arguments),
                              .get_environment = context.get_environment,
                              .daemon = daemon_view(running_status(context, arguments)),
                              .fix = fix};
  const host::Diagnosis found = host::examine(options);
  const Json document = diagnosis_json(found, fix);
  context.out << (arguments.json ? dump(document) + "\n"
                                 : render_checks(document, style_of(context)));
  const bool well = std::ranges::all_of(found.checks, [](const host::Check& check) {
    return check.severity == host::Severity::kOk;
  });
  return well ? 0 : kUnwell;
}

Outcome run_netcheck(Context& context, const Arguments& arguments) {
  const auto status = running_status(context, arguments);
  const auto node = host::read_node_facts(places_of(context, arguments), context.get_environment);
  if (node.identity_error) return Fail(*node.identity_error);
  host::SurveyOptions options{.want_nat = !status};
  if (node.config.node.listen) options.bind = node.config.node.listen->address;
  const host::Survey survey = host::survey_hubs(node.hubs, options);
  if (survey.error) return Fail(*survey.error);
  const auto network = runtime::read_host_network();
  const Json nat = status ? child(child(*status, "self"), "nat") : Json();
  const Json document = host::netcheck_json({.survey = survey,
                                             .network = network ? &*network : nullptr,
                                             .daemon_mapping = text_at(nat, "mapping"),
                                             .daemon_filtering = text_at(nat, "filtering")});
  context.out << (arguments.json ? dump(document) + "\n"
                                 : render_netcheck(document, style_of(context)));
  return node.hubs.empty() || survey.any_answer() ? 0 : kNobodyAnswered;
}

}  // namespace

std::vector<Verb> host_verbs() {
  std::vector<Verb> out = {
      {"netcheck",
       "",
       "What the network is like: NAT, UDP, MTU, round trips, clock",
       {"ginnel netcheck", "ginnel netcheck --json | jq .nat"},
       {},
       {1, 4, 6},
       0,
       0,
       run_netcheck},
      {"doctor",
       "",
       "Look for faults of this host, and say what mends them",
       {"ginnel doctor", "sudo ginnel doctor --fix", "ginnel doctor --json | jq .checks[]"},
       {{"Mending",
         {{"--fix", "", "mend what is safe: sysctl values and mode bits"}}}},
       {1, 8},
       0,
       0,
       run_doctor},
  };
  for (Verb& verb : bugreport_verbs()) out.push_back(std::move(verb));
  return out;
}

}  // namespace ginnel::cli
