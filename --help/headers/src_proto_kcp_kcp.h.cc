#include "proto/kcp/kcp.h"
