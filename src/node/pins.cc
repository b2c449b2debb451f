#include "node/pins.h"

#include <algorithm>

#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::node {
namespace {

constexpr std::uint8_t kPinsVersion = 1;

void write_id(Writer& w, const Id& id) {
  w.u8(static_cast<std::uint8_t>(id.role())).array(id.uuid());
}

std::optional<Id> read_id(Reader& r) {
  const std::uint8_t role = r.u8();
  const auto uuid = r.array<16>();
  if (role != 'S' && role != 'C') return std::nullopt;
  return Id(static_cast<Role>(role), uuid);
}

}  // namespace

std::optional<Clash> Pins::clash_of(const PeerRecord& record) const {
  if (const auto name = names_.find(record.name); name != names_.end() && name->second != record.id) {
    return Clash{record.name, false, name->second, record.id};
  }
  for (const Address& address : record.addresses) {
    const auto held = addresses_.find(address);
    if (held != addresses_.end() && held->second != record.id) {
      return Clash{address.text(), true, held->second, record.id};
    }
  }
  return std::nullopt;
}

Result<bool, PinDrop> Pins::claim(const PeerRecord& record) {
  if (clash_of(record)) return Fail(PinDrop::kClash);
  if (size() + 1 + record.addresses.size() > kPinsMax) return Fail(PinDrop::kFull);
  bool changed = false;
  if (!record.name.empty()) changed = names_.emplace(record.name, record.id).second;
  for (const Address& address : record.addresses) {
    changed |= addresses_.emplace(address, record.id).second;
  }
  // Only who has a new one can have given up an old one.
  if (!changed) return false;
  std::erase_if(addresses_, [&](const auto& pin) {
    return pin.second == record.id && std::ranges::count(record.addresses, pin.first) == 0;
  });
  return true;
}

void Pins::release(const Id& id) {
  std::erase_if(names_, [&](const auto& pin) { return pin.second == id; });
  std::erase_if(addresses_, [&](const auto& pin) { return pin.second == id; });
}

std::optional<Id> Pins::holder_of_name(std::string_view name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<Id> Pins::holder_of(const Address& address) const {
  const auto it = addresses_.find(address);
  return it == addresses_.end() ? std::nullopt : std::optional(it->second);
}

// version u8 | names u32le | each: length u8, name, role u8, uuid[16] | addresses u32le | each:
// address[16], role u8, uuid[16]
ByteVector Pins::write() const {
  std::size_t size = 1 + 4 + 4 + addresses_.size() * (16 + 17);
  for (const auto& [name, id] : names_) size += 1 + name.size() + 17;
  ByteVector out(size);
  Writer w(out);
  w.u8(kPinsVersion).u32le(static_cast<std::uint32_t>(names_.size()));
  for (const auto& [name, id] : names_) {
    w.u8(static_cast<std::uint8_t>(name.size())).put(bytes_of(name));
    write_id(w, id);
  }
  w.u32le(static_cast<std::uint32_t>(addresses_.size()));
  for (const auto& [address, id] : addresses_) {
    w.array(address.bytes);
    write_id(w, id);
  }
  return out;
}

std::optional<Pins> Pins::parse(ConstBytes bytes) {
  Reader r(bytes);
  Pins out;
  if (r.u8() != kPinsVersion) return std::nullopt;
  for (std::uint32_t n = r.u32le(); n > 0 && r.ok(); --n) {
    const ConstBytes name = r.take(r.u8());
    const auto id = read_id(r);
    if (!id) return std::nullopt;
    out.names_.emplace(std::string(text_of(name)), *id);
  }
  for (std::uint32_t n = r.u32le(); n > 0 && r.ok(); --n) {
    const Address address{r.array<16>()};
    const auto id = read_id(r);
    if (!id) return std::nullopt;
    out.addresses_.emplace(address, *id);
  }
  if (!r.finished() || out.size() > kPinsMax) return std::nullopt;
  return out;
}

}  // namespace ginnel::node
