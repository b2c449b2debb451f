#include "node/handshake_memory.h"

#include <algorithm>

#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::node {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kFixedBytes = 1 + wg::kTimestampBytes;
constexpr std::size_t kRowBytes = crypto::kKeyBytes + wg::kTimestampBytes;

}  // namespace

std::optional<HandshakeMemory> HandshakeMemory::parse(ConstBytes bytes) {
  Reader r(bytes);
  if (r.u8() != kVersion) return std::nullopt;
  HandshakeMemory out;
  out.last_sent_.bytes = r.array<wg::kTimestampBytes>();
  while (r.ok() && r.remaining() > 0) {
    const auto key = crypto::SessionPublic::from(r.take(crypto::kKeyBytes));
    const wg::Timestamp greatest{r.array<wg::kTimestampBytes>()};
    if (!r.ok() || !key || out.greatest_.size() >= kPeersRemembered) return std::nullopt;
    out.greatest_.emplace(*key, greatest);
  }
  return r.ok() ? std::optional(std::move(out)) : std::nullopt;
}

ByteVector HandshakeMemory::write() const {
  ByteVector out(kFixedBytes + greatest_.size() * kRowBytes);
  Writer w(out);
  w.u8(kVersion).array(last_sent_.bytes);
  for (const auto& [key, greatest] : greatest_) w.put(key.bytes()).array(greatest.bytes);
  return out;
}

wg::Timestamp HandshakeMemory::greatest_accepted(const crypto::SessionPublic& key) const {
  const auto it = greatest_.find(key);
  return it == greatest_.end() ? wg::Timestamp{} : it->second;
}

void HandshakeMemory::note_sent(Instant now, const wg::Timestamp& timestamp) {
  if (timestamp <= last_sent_) return;
  last_sent_ = timestamp;
  touch(now);
}

void HandshakeMemory::note_accepted(Instant now, const crypto::SessionPublic& key,
                                    const wg::Timestamp& timestamp) {
  if (timestamp <= greatest_accepted(key)) return;
  if (!greatest_.contains(key) && greatest_.size() >= kPeersRemembered) {
    greatest_.erase(
        std::ranges::min_element(greatest_, {}, [](const auto& row) { return row.second; }));
  }
  greatest_[key] = timestamp;
  touch(now);
}

void HandshakeMemory::touch(Instant now) {
  if (!due_) due_ = stored_at_ ? std::max(now, *stored_at_ + kStoreSpacing) : now;
}

bool HandshakeMemory::take_due(Instant now) {
  if (!due_ || *due_ > now) return false;
  stored_at_ = now;
  due_.reset();
  return true;
}

bool HandshakeMemory::take_all() {
  const bool due = due_.has_value();
  due_.reset();
  return due;
}

}  // namespace ginnel::node
