#include "proto/control/fragment.h"
