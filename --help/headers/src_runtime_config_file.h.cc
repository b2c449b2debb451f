#include "runtime/config_file.h"
