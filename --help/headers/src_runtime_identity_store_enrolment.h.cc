#include "runtime/identity_store/enrolment.h"
