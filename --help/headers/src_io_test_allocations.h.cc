#include "io/test_allocations.h"
