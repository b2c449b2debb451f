#include "node/gossip/gossip.h"
