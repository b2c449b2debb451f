#include "runtime/config/toml_file.h"

#include <toml++/toml.h>

#include <algorithm>

namespace ginnel::config {
namespace {

Position position_of(const toml::source_position& at) { return {at.line, at.column}; }

Value convert(const toml::node& node);

Value convert_table(const toml::table& table) {
  Value out{.type = ValueType::kTable};
  for (const auto& [key, node] : table) {
    out.fields.push_back({std::string(key.str()), position_of(key.source().begin), convert(node)});
  }
  // toml++ keeps tables sorted by key; people read problems in the order of their file.
  std::ranges::stable_sort(
      out.fields, {}, [](const Field& field) { return std::pair(field.at.line, field.at.column); });
  return out;
}

Value convert_list(const toml::array& array) {
  Value out{.type = ValueType::kList};
  for (const toml::node& node : array) out.items.push_back(convert(node));
  return out;
}

Value convert_scalar(const toml::node& node) {
  Value out;
  if (const auto* text = node.as_string()) {
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.type = ValueType::kInteger;
    out.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.type = ValueType::kBoolean;
    out.boolean = boolean->get();
  } else {
    out.type = node.is_floating_point() ? ValueType::kNumber : ValueType::kTime;
  }
  return out;
}

Value convert(const toml::node& node) {
  Value out = node.is_table()   ? convert_table(*node.as_table())
              : node.is_array() ? convert_list(*node.as_array())
                                : convert_scalar(node);
  out.begin = position_of(node.source().begin);
  out.end = position_of(node.source().end);
  return out;
}

}  // namespace

std::string_view type_name(ValueType type) {
  switch (type) {
    case ValueType::kText:
      return "a text";
    case ValueType::kInteger:
      return "a whole number";
    case ValueType::kNumber:
      return "a number with a fraction";
    case ValueType::kBoolean:
      return "true or false";
    case ValueType::kList:
      return "a list";
    case ValueType::kTable:
      return "a table";
    case ValueType::kTime:
      return "a date or time";
  }
  return "something else";
}

const Field* Value::find(std::string_view key) const {
  const auto found = std::ranges::find(fields, key, &Field::key);
  return found == fields.end() ? nullptr : &*found;
}

Result<Value, Problem> parse_toml(std::string_view text) {
  try {
    return convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    // The library's text may quote what it read, and that may be a secret: it ends at its first
    // quote, unless that is the character that should have been there.
    std::string why(error.description());
    const auto quote = why.find('\'');
    const bool expected = quote != std::string::npos && why.size() > quote + 2 &&
                          why[quote + 2] == '\'' && why.substr(0, quote).ends_with("expected ");
    if (quote != std::string::npos) why.resize(expected ? quote + 3 : quote);
    while (!why.empty() && (why.back() == ' ' || why.back() == ';' || why.back() == ','))
      why.pop_back();
    return Fail(Problem{position_of(error.source().begin), Errc::kConfigSyntax,
                        "no valid TOML: " + why, ""});
  }
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string toml_text(const Value& value) {
  switch (value.type) {
    case ValueType::kInteger:
      return std::to_string(value.integer);
    case ValueType::kBoolean:
      return value.boolean ? "true" : "false";
    case ValueType::kList: {
      std::string out = "[";
      for (const Value& item : value.items) {
        if (out.size() > 1) out += ", ";
        out += toml_text(item);
      }
      return out + "]";
    }
    default:
      return quoted(value.text);
  }
}

}  // namespace ginnel::config
