// What `ginnel bugreport` leaves out of every text, and the texts that it collects.
//
// redacted() is pure.
#pragma once
#include <string>
#include <string_view>

#include "cli/verb.h"

namespace ginnel::cli {

// Join tokens, and 32 bytes in base64 (every key, public ones too), become "(hidden)".
std::string redacted(std::string_view text);

std::vector<Verb> bugreport_verbs();

}  // namespace ginnel::cli
