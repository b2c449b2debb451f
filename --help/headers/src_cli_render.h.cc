#include "cli/render.h"
