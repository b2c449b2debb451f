#include "node/forward/drop.h"
