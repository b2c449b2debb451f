#include "runtime/control/error_document.h"

#include <nlohmann/json.hpp>

namespace ginnel::control_api {
namespace {

using nlohmann::ordered_json;

std::string text_at(const ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::optional<Errc> errc_from_name(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Errc::kInternal); ++i) {
    const auto code = static_cast<Errc>(i);
    if (code_name(code) == name) return code;
  }
  return std::nullopt;
}

std::string error_document(const Error& error) {
  ordered_json inner = {{"code", code_name(error.code)},
                        {"text", error.text},
                        {"hint", error.hint},
                        {"exit", exit_code(error.code)}};
  const ordered_json out = {{"v", 1}, {"error", std::move(inner)}};
  // Texts may quote bytes from elsewhere that are no UTF-8; dump() would throw at them.
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<Error> parse_error_document(std::string_view json) {
  const auto root = ordered_json::parse(json, nullptr, false);
  if (!root.is_object()) return std::nullopt;
  const auto inner = root.find("error");
  if (inner == root.end() || !inner->is_object()) return std::nullopt;
  const std::string name = text_at(*inner, "code");
  Error out{Errc::kInternal, text_at(*inner, "text"), text_at(*inner, "hint")};
  if (const auto code = errc_from_name(name)) {
    out.code = *code;
  } else {
    out.text += " (" + name + ")";
  }
  return out;
}

int http_status(Errc code) {
  switch (code) {
    case Errc::kUsage:
    case Errc::kConfigSyntax:
    case Errc::kConfigKey:
    case Errc::kConfigValue:
      return 400;
    case Errc::kPermission:
    case Errc::kDenied:
    case Errc::kSharedSecret:
    case Errc::kNotAHub:
      return 403;
    case Errc::kUnknownPeer:
      return 404;
    case Errc::kTimeout:
    case Errc::kNoSubscriber:
    case Errc::kUnreachable:
      return 504;
    case Errc::kInternal:
      return 500;
    default:
      return 409;
  }
}

}  // namespace ginnel::control_api
