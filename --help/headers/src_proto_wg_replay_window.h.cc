#include "proto/wg/replay_window.h"
