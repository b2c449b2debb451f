/* ginnel_c.h is C99, alone and with each warning on. */
#include <ginnel/ginnel_c.h>

ginnel_options ginnel_c99_options(void);
ginnel_options ginnel_c99_options(void) {
  ginnel_options options = GINNEL_OPTIONS_INIT;
  return options;
}
ginnel_error ginnel_c99_error(void);
ginnel_error ginnel_c99_error(void) {
  ginnel_error error = GINNEL_ERROR_INIT;
  return error;
}
