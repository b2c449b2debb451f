// What stands in the bodies of requests to the control socket, read without surprises: a missing
// key, or a value of another type, is what `otherwise` says.
#pragma once
#include <ginnel/error.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/instant.h"

namespace ginnel::runtime {

Nanoseconds seconds_of(const nlohmann::json& body, const char* key, Nanoseconds otherwise);
std::string text_at(const nlohmann::json& body, const char* key, std::string otherwise = {});
// `data` as text, or `data_b64`. nullopt: neither, or not base64.
std::optional<ByteVector> data_of(const nlohmann::json& body);
// Text where it is UTF-8, else base64: JSON carries no bytes.
void put_data(nlohmann::json& line, ConstBytes data);
// kUsage.
Error malformed();

}  // namespace ginnel::runtime
