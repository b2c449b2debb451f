#include "proto/swim/serf/filter.h"

#include "proto/swim/msgpack.h"
#include "proto/swim/serf/pattern.h"

namespace ginnel::swim::serf {
namespace {

constexpr std::byte kNamesFilter{0};
constexpr std::byte kTag{1};
constexpr std::array<std::string_view, 2> kTagFields{"Tag", "Expr"};

bool holds_names(MsgpackReader& r, std::string_view name) {
  const std::size_t count = r.array_size();
  bool found = false;
  for (std::size_t i = 0; i < count && !r.problem(); ++i) found = r.text() == name || found;
  return found && !r.problem();
}

bool holds_tag(MsgpackReader& r, const Tags& tags) {
  std::string_view tag;
  std::string_view expression;
  r.read_struct(kTagFields, [&](std::size_t field) { (field == 0 ? tag : expression) = r.text(); });
  if (r.problem()) return false;
  const auto pattern = Pattern::parse(expression);
  const auto value = tags.find(std::string(tag));
  return pattern && pattern->matches(value == tags.end() ? "" : value->second);
}

}  // namespace

bool holds(ConstBytes filter, std::string_view name, const Tags& tags) {
  if (filter.empty()) return false;
  MsgpackReader r(filter.subspan(1));
  if (filter[0] == kNamesFilter) return holds_names(r, name);
  return filter[0] == kTag && holds_tag(r, tags);
}

ByteVector name_filter(std::span<const std::string> names) {
  ByteVector out{kNamesFilter};
  MsgpackWriter w(out);
  w.array(names.size());
  for (const std::string& name : names) w.text(name);
  return out;
}

ByteVector tag_filter(std::string_view tag, std::string_view pattern) {
  ByteVector out{kTag};
  MsgpackWriter(out).map(2).key("Expr").text(pattern).key("Tag").text(tag);
  return out;
}

}  // namespace ginnel::swim::serf
