#include "proto/stun/nat_classifier.h"
