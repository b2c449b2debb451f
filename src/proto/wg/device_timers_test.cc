#include "proto/wg/device.h"
