#include "proto/swim/limits.h"
