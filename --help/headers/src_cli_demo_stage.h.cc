#include "cli/demo/stage.h"
