// Fields of the requests' JSON bodies, and errors as rows of an answer. What is missing or of another
// type counts as not given.
#pragma once
#include <ginnel/error.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"

namespace ginnel::gossip {

std::string text_at(const nlohmann::json& body, const char* key, std::string otherwise = {});
bool flag_at(const nlohmann::json& body, const char* key, bool otherwise = false);
std::vector<std::string> texts_at(const nlohmann::json& body, const char* key);
Nanoseconds seconds_at(const nlohmann::json& body, const char* key, Nanoseconds otherwise);
// `data` as text, or `data_b64`; neither is nothing. nullopt: not base64.
std::optional<ByteVector> data_of(const nlohmann::json& body);

Error malformed();
nlohmann::json failed_row(const std::string& peer, const Error& error);

}  // namespace ginnel::gossip
