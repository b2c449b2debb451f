#include "proto/swim/serf/tags.h"

#include "proto/swim/msgpack.h"

namespace ginnel::swim::serf {
namespace {

constexpr std::byte kMagic{0xff};  // serf.go, "tagMagicByte"

}  // namespace

ByteVector encode_tags(const Tags& tags) {
  ByteVector out{kMagic};
  MsgpackWriter writer(out);
  writer.map(tags.size());
  for (const auto& [key, value] : tags) writer.text(key).text(value);
  return out;
}

std::optional<Tags> decode_tags(ConstBytes meta) {
  if (meta.empty() || meta[0] != kMagic) return std::nullopt;
  MsgpackReader r(meta.subspan(1));
  Tags out;
  const std::size_t count = r.map_size();  // each takes two bytes at least: the input bounds it
  for (std::size_t i = 0; i < count && !r.problem(); ++i) {
    std::string key(r.text());
    out.insert_or_assign(std::move(key), std::string(r.take_nil() ? "" : r.text()));
  }
  if (r.problem()) return std::nullopt;
  return out;
}

Tags tags_as_serf_shows_them(ConstBytes meta) {
  if (auto tags = decode_tags(meta)) return *std::move(tags);
  if (!meta.empty() && meta[0] == kMagic) return {};
  return {{"role", std::string(text_of(meta))}};
}

}  // namespace ginnel::swim::serf
