#include "proto/swim/serf/coordinate.h"
