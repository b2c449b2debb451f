#include "runtime/names/name_table.h"
