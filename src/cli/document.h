// The daemon's JSON documents, read without surprises: a missing key, a null or a value of another
// type is the empty value of what was asked for.
#pragma once
#include <ginnel/result.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace ginnel::cli {

using Json = nlohmann::ordered_json;

// A discarded or non-object text gives an empty object.
Json parse_document(std::string_view text);
// On one line; bytes that are no UTF-8 are replaced.
std::string dump(const Json& json);

const Json& child(const Json& json, std::string_view key);  // null: none
std::string text_at(const Json& json, std::string_view key);
std::optional<double> number_at(const Json& json, std::string_view key);
bool flag_at(const Json& json, std::string_view key);

bool is_utf8(std::string_view bytes);
// {"data": text}, or {"data_b64": base64} where the bytes are no UTF-8.
void set_data(Json& json, std::string_view bytes);
std::string data_of(const Json& json);

// A name as one segment of a path: RFC 3986 section 2.1.
std::string percent_encoded(std::string_view text);

}  // namespace ginnel::cli
