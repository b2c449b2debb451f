// An error as its JSON document, both ways: {"v":1,"error":{"code","text","hint","exit"}}.
#pragma once
#include <ginnel/error.h>

#include <optional>
#include <string>
#include <string_view>

namespace ginnel::control_api {

// nullopt: no code of this version.
std::optional<Errc> errc_from_name(std::string_view name);

// On one line, without a newline.
std::string error_document(const Error& error);
// nullopt: not such a document. A code that is unknown here becomes kInternal, its name in the
// text.
std::optional<Error> parse_error_document(std::string_view json);

// The HTTP status that an answer with this error has.
int http_status(Errc code);

}  // namespace ginnel::control_api
