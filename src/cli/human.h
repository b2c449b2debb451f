// Numbers as people read them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ginnel::cli {

std::string milliseconds_text(double seconds);  // "3.1ms", "41ms", "1.2s"
std::string rate_text(double bits_per_second);  // "80k", "1.2M"
std::string percent_text(double part);          // "4.8%"
std::string age_text(double seconds);           // "now", "42s", "2h", "3d4h"

// Seconds since 1970 of an RFC 3339 time. nullopt: none.
std::optional<double> parse_rfc3339(std::string_view text);

// "symmetric NAT" of "R_SYMMETRIC_NAT".
std::string reason_text(std::string_view code);
// What people call a NAT of this mapping and filtering: "port-restricted".
std::string nat_text(std::string_view mapping, std::string_view filtering);

}  // namespace ginnel::cli
