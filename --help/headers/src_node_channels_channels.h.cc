#include "node/channels/channels.h"
