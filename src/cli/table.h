// A table for people: a header, two spaces between columns, no line ends in spaces.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace ginnel::cli {

// In characters on a terminal: UTF-8 counted once, colours not at all.
std::size_t display_width(std::string_view text);

class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  // As many cells as the header has.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace ginnel::cli
