// The keys of this node: see verbs_key.cc.
#pragma once
#include <optional>

#include "cli/verb.h"

namespace ginnel::cli {

std::vector<Verb> own_key_verbs();
// `key ls` where the folder holds a node; nullopt: it does not, so a gossip member may be meant.
std::optional<Outcome> show_own_keys(Context& context, const Arguments& arguments);

}  // namespace ginnel::cli
