#include "node/forward/testing/link.h"
