#include "proto/swim/compound.h"
