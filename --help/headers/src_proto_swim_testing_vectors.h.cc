#include "proto/swim/testing/vectors.h"
