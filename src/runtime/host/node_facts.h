// What doctor and netcheck know of the node of a folder without its daemon: its configuration, who
// it is, and which hubs it goes to.
//
// Values; reading opens files and asks the resolver. Allocates.
#pragma once
#include <ginnel/error.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/config_file.h"
#include "runtime/identity_store/enrolment.h"
#include "runtime/identity_store/places.h"

namespace ginnel::host {

// A hub other than this node itself, and what its names mean now.
struct KnownHub {
  std::string name;  // of its certificate, else its address as configured
  std::vector<std::string> texts;
  std::vector<Endpoint> endpoints;  // empty: no name can be resolved
};

struct LooseFile {
  std::filesystem::path path;
  unsigned mode = 0;    // what it has
  unsigned wanted = 0;  // what it should have
};

struct NodeFacts {
  config::Config config;                // built-in values where the file is wrong or missing
  std::optional<Error> config_error;    // none: it is right, or there is none
  std::optional<Error> identity_error;  // none: it is readable, or there is none
  bool joined = false;
  bool hub = false;
  Prefix cidr;                           // of the overlay
  std::vector<std::string> addresses;    // of the overlay
  std::optional<std::uint16_t> kept_port;  // a peer's, from its last run
  std::vector<KnownHub> hubs;
  std::vector<LooseFile> loose;  // others can read them
};

NodeFacts read_node_facts(const identity::Places& places,
                          const runtime::GetEnvironment& get_environment);

// Takes from group and others what they must not have. Errors: kPermission, kFile.
Result<void, Error> tighten(const LooseFile& file);

}  // namespace ginnel::host
