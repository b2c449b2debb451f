#include "crypto/testing/allocations.h"
