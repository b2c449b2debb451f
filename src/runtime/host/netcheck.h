// `ginnel netcheck`: what this host's network is like for a node, as a document.
//
//   const auto report = netcheck_json(node, survey, nat);
//
// Pure: facts in, a document out.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "runtime/engine/host_network.h"
#include "runtime/host/survey.h"

namespace ginnel::host {

struct NetcheckInput {
  const Survey& survey;
  const runtime::HostNetwork* network = nullptr;  // null: the kernel did not tell
  // What the running daemon found for its own socket; empty: the survey's own.
  std::string daemon_mapping;
  std::string daemon_filtering;
};

// {"v":1,"udp","nat":{"mapping","filtering","of"},"ipv4":{"address","udp","mapped"},"ipv6":{…},
//  "mtu","clock_offset","hubs":[{"name","endpoint","state","rtt","mtu","black_hole","mapped",
//  "clock_offset"}]}; null where nothing is known.
nlohmann::ordered_json netcheck_json(const NetcheckInput& input);

}  // namespace ginnel::host
