#include "runtime/names/name_table.h"

#include <algorithm>

namespace ginnel::runtime {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

}  // namespace

NameTable::NameTable(std::string_view network) : domain_(lower(network) + ".ginnel.internal") {}

void NameTable::set(const Names& names) {
  names_.clear();
  for (const auto& [name, addresses] : names) names_[lower(name)] = addresses;
}

dns::Answer NameTable::look_up(const dns::Query& query) const {
  const std::string_view name = query.name;
  if (name == domain_) return {};  // it exists and has no address
  if (!name.ends_with("." + domain_)) return {.rcode = dns::Rcode::kRefused};
  const auto found = names_.find(name.substr(0, name.size() - domain_.size() - 1));
  if (found == names_.end()) return {.rcode = dns::Rcode::kNoName};
  return {.ttl_seconds = kNameTtlSeconds, .addresses = found->second};
}

}  // namespace ginnel::runtime
