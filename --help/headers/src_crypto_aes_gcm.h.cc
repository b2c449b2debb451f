#include "crypto/aes_gcm.h"
