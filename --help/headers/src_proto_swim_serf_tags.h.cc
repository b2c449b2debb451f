#include "proto/swim/serf/tags.h"
