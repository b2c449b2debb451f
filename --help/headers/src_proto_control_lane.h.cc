#include "proto/control/lane.h"
