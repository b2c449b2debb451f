#include "node/peer_record.h"
