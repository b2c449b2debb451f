#include "api/driver.h"
