// For whom a query is: lists of names and patterns over tags. All filters of a query must hold.
//
//   00 | array of names         the member's name is one of them
//   01 | {Expr, Tag}            the member's tag fits the pattern (pattern.h)
#pragma once
#include <span>
#include <string>
#include <vector>

#include "proto/swim/serf/tags.h"

namespace ginnel::swim::serf {

// False also for what can't be read, as in serf.
bool holds(ConstBytes filter, std::string_view name, const Tags& tags);

ByteVector name_filter(std::span<const std::string> names);
ByteVector tag_filter(std::string_view tag, std::string_view pattern);

}  // namespace ginnel::swim::serf
