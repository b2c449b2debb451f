// A member's tags, as serf puts them into memberlist's metadata: ff, then a msgpack map of texts.
//
//   ByteVector meta = encode_tags({{"role", "web"}});
//   auto tags = decode_tags(meta);
#pragma once
#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace ginnel::swim::serf {

using Tags = std::map<std::string, std::string>;

ByteVector encode_tags(const Tags& tags);
// nullopt: not in serf's form.
std::optional<Tags> decode_tags(ConstBytes meta);
// As a serf agent shows them: what has not its form is the "role" of protocol 2.
Tags tags_as_serf_shows_them(ConstBytes meta);

}  // namespace ginnel::swim::serf
