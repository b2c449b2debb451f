#include "proto/swim/compound.h"

#include "base/assert.h"
#include "proto/swim/wire.h"

namespace ginnel::swim {

void write_compound(std::span<const ByteVector> messages, ByteVector& out) {
  GINNEL_ASSERT(!messages.empty());
  GINNEL_ASSERT(messages.size() <= kCompoundPartsMax);
  out.push_back(static_cast<std::byte>(MessageType::kCompound));
  out.push_back(static_cast<std::byte>(messages.size()));
  for (const ByteVector& message : messages) {
    GINNEL_ASSERT(!message.empty());  // an empty part makes memberlist 0.2.2 panic
    GINNEL_ASSERT(message.size() <= 0xffff);
    out.push_back(static_cast<std::byte>(message.size() >> 8));
    out.push_back(static_cast<std::byte>(message.size()));
  }
  for (const ByteVector& message : messages) out.insert(out.end(), message.begin(), message.end());
}

Result<CompoundReader, Drop> CompoundReader::parse(ConstBytes body) {
  Reader r(body);
  const std::size_t count = r.u8();
  const ConstBytes lengths = r.take(2 * count);
  if (!r.ok()) return Fail(Drop::kTooShort);
  return CompoundReader(count, lengths, r.rest());
}

std::optional<ConstBytes> CompoundReader::next() {
  if (left_ == 0) return std::nullopt;
  const ConstBytes out = messages_.take(lengths_.u16be());
  if (!messages_.ok()) {
    missing_ = left_;
    left_ = 0;
    return std::nullopt;
  }
  --left_;
  return out;
}

}  // namespace ginnel::swim
