#include "ginnel/types.h"
