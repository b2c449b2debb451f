#include "cli/document.h"

#include "base/base64.h"

namespace ginnel::cli {

Json parse_document(std::string_view text) {
  Json out = Json::parse(text, nullptr, false);
  return out.is_object() ? out : Json::object();
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json& child(const Json& json, std::string_view key) {
  static const Json kNone;
  const auto found = json.find(key);
  return found == json.end() ? kNone : *found;
}

std::string text_at(const Json& json, std::string_view key) {
  const Json& value = child(json, key);
  return value.is_string() ? value.get<std::string>() : "";
}

std::optional<double> number_at(const Json& json, std::string_view key) {
  const Json& value = child(json, key);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

bool flag_at(const Json& json, std::string_view key) {
  const Json& value = child(json, key);
  return value.is_boolean() && value.get<bool>();
}

bool is_utf8(std::string_view bytes) {
  try {
    [[maybe_unused]] const std::string text = Json(bytes).dump();  // strict: throws at what is none
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

void set_data(Json& json, std::string_view bytes) {
  if (is_utf8(bytes)) {
    json["data"] = bytes;
  } else {
    json["data_b64"] = to_base64(bytes_of(bytes));
  }
}

std::string data_of(const Json& json) {
  if (child(json, "data").is_string()) return text_at(json, "data");
  const auto bytes = from_base64(text_at(json, "data_b64"));
  return bytes ? std::string(text_of(*bytes)) : "";
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    out += plain ? std::string(1, c) : std::string{'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

}  // namespace ginnel::cli
