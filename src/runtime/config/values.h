// The texts that stand for values in ginnel.toml and on the command line: "10s" or
// "host:port". Each reader is strict and total: nullopt means "not of this form".
#pragma once
#include <optional>
#include <string_view>

#include "base/instant.h"
#include "runtime/config/config.h"

namespace ginnel::config {

// "250ms", "10s", "1.5h", "7d", "1h30m"; a number alone is no duration. Up to 100 years.
std::optional<Nanoseconds> parse_duration(std::string_view text);
// As above, or a number alone: seconds. For `--timeout 15`.
std::optional<Nanoseconds> parse_seconds(std::string_view text);
// "2s", "1h30m", "250ms": the shortest text that parse_duration reads back.
std::string duration_text(Nanoseconds duration);

// "HOST:PORT" or "KEY@HOST:PORT"; HOST a name, an IPv4 address or a bracketed IPv6 one.
std::optional<HubName> parse_hub_name(std::string_view text);
std::string hub_name_text(const HubName& hub);
// A DNS name of at most 253 characters, or an IPv4 address.
bool is_host_name(std::string_view text);
// A node's name, as a certificate holds it: 1 to 63 of a-z, 0-9 and -, no hyphen first or last.
bool is_node_name(std::string_view text);
// The nearest valid node name: lower case, up to the first dot, other characters made hyphens.
std::string node_name_from_host(std::string_view host);

// "udp://ADDR:PORT".
std::optional<Endpoint> parse_listen(std::string_view text);

}  // namespace ginnel::config
