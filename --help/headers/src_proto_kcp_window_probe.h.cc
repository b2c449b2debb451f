#include "proto/kcp/window_probe.h"
