#include "proto/path/outgoing.h"
