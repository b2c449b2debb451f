#include "runtime/embedded/embedded_driver.h"
