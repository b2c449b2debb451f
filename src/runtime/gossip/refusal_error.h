// Why shared data was not written or read, for people.
#pragma once
#include <ginnel/error.h>

#include "proto/swim/agent.h"

namespace ginnel::gossip {

Error refusal_error(swim::metadata::Refusal refusal, const swim::metadata::Key& key);
// `what` needs App::kGinnel, and this is another.
Error no_shared_data(swim::App app, std::string_view what);

}  // namespace ginnel::gossip
