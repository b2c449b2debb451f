#include "proto/kcp/byte_ring.h"

#include <algorithm>

#include "base/assert.h"

namespace ginnel::kcp {

void ByteRing::append(ConstBytes bytes) {
  GINNEL_ASSERT(bytes.size() <= room());
  if (bytes.empty()) return;
  if (size() + bytes.size() > storage_.size()) grow(size() + bytes.size());
  const auto at = static_cast<std::size_t>(end_ % storage_.size());
  const std::size_t before_wrap = std::min(bytes.size(), storage_.size() - at);
  std::ranges::copy(bytes.first(before_wrap), storage_.begin() + static_cast<std::ptrdiff_t>(at));
  std::ranges::copy(bytes.subspan(before_wrap), storage_.begin());
  end_ += bytes.size();
}

void ByteRing::copy(std::uint64_t offset, Bytes out) const {
  GINNEL_ASSERT(offset >= begin_ && offset + out.size() <= end_);
  if (out.empty()) return;
  const auto at = static_cast<std::size_t>(offset % storage_.size());
  const std::size_t before_wrap = std::min(out.size(), storage_.size() - at);
  std::copy_n(storage_.begin() + static_cast<std::ptrdiff_t>(at), before_wrap, out.begin());
  std::copy_n(storage_.begin(), out.size() - before_wrap,
              out.begin() + static_cast<std::ptrdiff_t>(before_wrap));
}

void ByteRing::drop_until(std::uint64_t offset) {
  GINNEL_ASSERT(offset >= begin_ && offset <= end_);
  begin_ = offset;
}

void ByteRing::grow(std::size_t size) {
  constexpr std::size_t kFirst = 4096;
  const std::size_t doubled = std::max({size, storage_.size() * 2, kFirst});
  ByteVector grown(std::min(doubled, bytes_max_));
  for (std::uint64_t offset = begin_; offset < end_; ++offset) {
    grown[static_cast<std::size_t>(offset % grown.size())] =
        storage_[static_cast<std::size_t>(offset % storage_.size())];
  }
  storage_ = std::move(grown);
}

}  // namespace ginnel::kcp
