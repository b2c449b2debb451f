#include "node/trust.h"
