#include "runtime/config/load.h"
