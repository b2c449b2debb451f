// Why a message was not sent, for people.
#pragma once
#include <ginnel/error.h>

#include <string>

#include "proto/swim/drop.h"

namespace ginnel::gossip {

Error drop_error(swim::Drop why, const std::string& what);

}  // namespace ginnel::gossip
