#include "proto/control/testing/fixtures.h"
