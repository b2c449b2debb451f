#include "io/network_monitor.h"
