#include "runtime/gossip/joiner.h"
