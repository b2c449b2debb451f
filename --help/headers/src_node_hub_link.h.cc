#include "node/hub_link.h"
