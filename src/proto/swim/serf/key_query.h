// Changes of the key ring that come as queries ("_serf_install-key" and so on), so that a cluster
// changes its keys while it runs: install everywhere, use everywhere, remove everywhere.
#pragma once
#include "proto/swim/key_ring.h"
#include "proto/swim/serf/wire.h"

namespace ginnel::swim::serf {

enum class KeyOp : std::uint8_t { kInstall, kUse, kRemove, kList };

// "_serf_install-key".
std::string_view query_name(KeyOp op);
// The operation that a query of this name asks for; nullopt: none.
std::optional<KeyOp> key_op_of(std::string_view query_name);

struct KeyOutcome {
  KeyResponse response;
  bool changed = false;  // the ring is another
};
// A ring without keys is never changed: encryption is not turned on by a query.
KeyOutcome apply(KeyOp op, ConstBytes key, KeyRing& ring);

}  // namespace ginnel::swim::serf
