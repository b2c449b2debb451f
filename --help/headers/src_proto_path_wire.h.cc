#include "proto/path/wire.h"
