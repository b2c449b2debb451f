#include "runtime/forwarding/receive_loop.h"
