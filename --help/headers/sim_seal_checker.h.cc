#include "sim/seal_checker.h"
