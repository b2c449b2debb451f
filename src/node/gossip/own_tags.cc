#include "node/gossip/own_tags.h"

#include <algorithm>

#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::node {
namespace {

constexpr std::string_view kRole = "role";
constexpr std::uint8_t kTagsVersion = 1;
constexpr std::uint8_t kSet = 1;
constexpr std::uint8_t kDel = 0;

void put_text(Writer& w, std::string_view text) {
  w.u16le(static_cast<std::uint16_t>(text.size())).put(bytes_of(text));
}
std::string take_text(Reader& r) { return std::string(text_of(r.take(r.u16le()))); }

}  // namespace

void OwnTags::set_certified(Role role,
                            const std::vector<std::pair<std::string, std::string>>& tags) {
  certified_.clear();
  for (const auto& [key, value] : tags) certified_.insert_or_assign(key, value);
  certified_.insert_or_assign(std::string(kRole), role == Role::kHub ? "hub" : "peer");
}

bool OwnTags::change(const Tags& set, const std::vector<std::string>& del) {
  if (set.contains(std::string(kRole)) || std::ranges::find(del, kRole) != del.end()) return false;
  for (const auto& [key, value] : set) {
    set_.insert_or_assign(key, value);
    del_.erase(key);
  }
  for (const std::string& key : del) {
    set_.erase(key);
    if (certified_.contains(key)) del_.insert(key);
  }
  return true;
}

OwnTags::Tags OwnTags::all() const {
  Tags out = certified_;
  for (const std::string& key : del_) out.erase(key);
  for (const auto& [key, value] : set_) out.insert_or_assign(key, value);
  return out;
}

// version u8; per change: 1, key, value (set) or 0, key (deleted); texts with a u16 length in front.
ByteVector OwnTags::write() const {
  ByteVector out(kStoredBytesMax);
  Writer w(out);
  w.u8(kTagsVersion);
  for (const auto& [key, value] : set_) {
    w.u8(kSet);
    put_text(w, key);
    put_text(w, value);
  }
  for (const std::string& key : del_) {
    w.u8(kDel);
    put_text(w, key);
  }
  out.resize(w.ok() ? w.size() : 0);
  return out;
}

void OwnTags::read(ConstBytes stored) {
  set_.clear();
  del_.clear();
  Reader r(stored);
  if (r.u8() != kTagsVersion) return;
  while (r.ok() && r.remaining() > 0) {
    const bool is_set = r.u8() == kSet;
    std::string key = take_text(r);
    std::string value = is_set ? take_text(r) : "";
    if (!r.ok() || key == kRole) continue;
    if (is_set) {
      set_.insert_or_assign(std::move(key), std::move(value));
    } else {
      del_.insert(std::move(key));
    }
  }
}

}  // namespace ginnel::node
