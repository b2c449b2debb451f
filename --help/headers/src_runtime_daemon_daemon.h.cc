#include "runtime/daemon/daemon.h"
