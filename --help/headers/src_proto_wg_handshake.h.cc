#include "proto/wg/handshake.h"
