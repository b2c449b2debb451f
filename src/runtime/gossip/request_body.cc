#include "runtime/gossip/request_body.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"

namespace ginnel::gossip {

using nlohmann::json;

std::string text_at(const json& body, const char* key, std::string otherwise) {
  const auto it = body.find(key);
  return it != body.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

bool flag_at(const json& body, const char* key, bool otherwise) {
  const auto it = body.find(key);
  return it != body.end() && it->is_boolean() ? it->get<bool>() : otherwise;
}

std::vector<std::string> texts_at(const json& body, const char* key) {
  std::vector<std::string> out;
  const auto it = body.find(key);
  if (it == body.end() || !it->is_array()) return out;
  for (const json& entry : *it) {
    if (entry.is_string()) out.push_back(entry.get<std::string>());
  }
  return out;
}

Nanoseconds seconds_at(const json& body, const char* key, Nanoseconds otherwise) {
  const auto it = body.find(key);
  if (it == body.end() || !it->is_number()) return otherwise;
  const double seconds = it->get<double>();
  if (!(seconds > 0) || seconds > 1e7) return otherwise;
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(seconds));
}

std::optional<ByteVector> data_of(const json& body) {
  if (const auto it = body.find("data"); it != body.end() && it->is_string()) {
    return to_vector(bytes_of(it->get_ref<const std::string&>()));
  }
  return from_base64(text_at(body, "data_b64"));
}

Error malformed() { return {Errc::kUsage, "the request is malformed", ""}; }

json failed_row(const std::string& peer, const Error& error) {
  return {{"peer", peer}, {"code", code_name(error.code)}, {"text", error.text}};
}

}  // namespace ginnel::gossip
