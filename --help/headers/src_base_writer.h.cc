#include "base/writer.h"
