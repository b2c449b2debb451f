// A TOML text as plain values with positions: the only door to the TOML library.
#pragma once
#include <ginnel/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/problem.h"

namespace ginnel::config {

enum class ValueType : std::uint8_t {
  kText,
  kInteger,
  kNumber,  // with a fraction
  kBoolean,
  kList,
  kTable,
  kTime,  // a date, a time or both: no key of ours has one
};
// "a text", "a whole number", …: for "must be … , not …".
std::string_view type_name(ValueType type);

struct Field;

struct Value {
  ValueType type = ValueType::kText;
  Position begin{};
  Position end{};  // one past the last character
  std::string text{};
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<Value> items{};   // kList
  std::vector<Field> fields{};  // kTable, in the order of the file

  const Field* find(std::string_view key) const;
};

struct Field {
  std::string key;
  Position at;
  Value value;
};

// The root table. Problem: kConfigSyntax, at the first thing that is no TOML.
Result<Value, Problem> parse_toml(std::string_view text);

// `text` as a TOML string with its quotes.
std::string quoted(std::string_view text);
// The value as it would stand in a file, on one line.
std::string toml_text(const Value& value);

}  // namespace ginnel::config
