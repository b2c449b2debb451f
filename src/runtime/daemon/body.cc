#include "runtime/daemon/body.h"

#include "base/base64.h"

namespace ginnel::runtime {

using nlohmann::json;

Nanoseconds seconds_of(const json& body, const char* key, Nanoseconds otherwise) {
  const auto it = body.find(key);
  if (it == body.end() || !it->is_number()) return otherwise;
  const double seconds = it->get<double>();
  if (!(seconds >= 0) || seconds > 4e9) return otherwise;
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(seconds));
}

std::string text_at(const json& body, const char* key, std::string otherwise) {
  const auto it = body.find(key);
  return it != body.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

std::optional<ByteVector> data_of(const json& body) {
  if (const auto it = body.find("data"); it != body.end() && it->is_string()) {
    return to_vector(bytes_of(it->get_ref<const std::string&>()));
  }
  const auto it = body.find("data_b64");
  if (it == body.end() || !it->is_string()) return std::nullopt;
  return from_base64(it->get_ref<const std::string&>());
}

void put_data(json& line, ConstBytes data) {
  json text = std::string(text_of(data));
  try {
    (void)text.dump();
    line["data"] = std::move(text);
  } catch (const json::type_error&) {
    line["data_b64"] = to_base64(data);
  }
}

Error malformed() { return {Errc::kUsage, "the request is malformed", ""}; }

}  // namespace ginnel::runtime
