#include "sim/fault_plan.h"
