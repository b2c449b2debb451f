// The daemon's documents as the values of the public API. A field that is missing, or is of another
// type, has its default: the daemon may be of another version.
#pragma once
#include <ginnel/message.h>
#include <ginnel/types.h>

#include <nlohmann/json.hpp>

namespace ginnel::runtime {

Id id_at(const nlohmann::json& object, const char* key);
PeerInfo peer_of(const nlohmann::json& row);
HubInfo hub_of(const nlohmann::json& row);
// Without its Id, which the daemon does not tell.
MemberInfo member_of(const nlohmann::json& row);
Attempt attempt_of(const nlohmann::json& row);
// Of a row with code, text and hint.
Error error_of(const nlohmann::json& row);
// A line of `sub` or of a replier.
Message message_of(const nlohmann::json& line, std::string channel);

}  // namespace ginnel::runtime
