// What a running node takes from its file when the file has changed, and what must wait for its
// next start.
//
//   const ReloadPlan plan = take_changes(running, load(text));
//   // plan.changed is in `running` now; plan.restart is not
//
// Pure.
#pragma once
#include <string>
#include <vector>

#include "runtime/config/load.h"

namespace ginnel::config {

struct ReloadPlan {
  std::vector<std::string> changed;  // keys, in the schema's order
  std::vector<std::string> restart;  // likewise: these differ, and count from the next start on
};

// `file` has no problems. Keys in `restart` stay as they are in `running`, so that a second call
// names them again.
ReloadPlan take_changes(Loaded& running, const Loaded& file);

// The file's last [[wireguard.peer]] is let in already (`wg export`), so that no start is awaited.
void take_last_wireguard_peer(Loaded& running, const Loaded& file);

}  // namespace ginnel::config
