#include "sim/machine.h"
