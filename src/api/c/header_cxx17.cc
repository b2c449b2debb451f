// ginnel_c.h is C++17, alone and with each warning on.
#include <ginnel/ginnel_c.h>

ginnel_options ginnel_cxx17_options() { return GINNEL_OPTIONS_INIT; }
ginnel_error ginnel_cxx17_error() { return GINNEL_ERROR_INIT; }
