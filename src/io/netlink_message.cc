#include "io/netlink_message.h"

#include "base/assert.h"

namespace ginnel::io {

void NetlinkRequest::append(ConstBytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(netlink_aligned(bytes_.size()));
}

NetlinkRequest& NetlinkRequest::attribute(std::uint16_t type, ConstBytes value) {
  rtattr header{};
  header.rta_len = static_cast<std::uint16_t>(sizeof header + value.size());
  header.rta_type = type;
  append(std::as_bytes(std::span(&header, 1)));
  append(value);
  return *this;
}

NetlinkRequest& NetlinkRequest::attribute_u8(std::uint16_t type, std::uint8_t value) {
  return attribute(type, std::as_bytes(std::span(&value, 1)));
}

NetlinkRequest& NetlinkRequest::attribute_u32(std::uint16_t type, std::uint32_t value) {
  return attribute(type, std::as_bytes(std::span(&value, 1)));
}

NetlinkRequest& NetlinkRequest::begin_nest(std::uint16_t type) {
  nests_.push_back(bytes_.size());
  return attribute(type, {});
}

NetlinkRequest& NetlinkRequest::end_nest() {
  GINNEL_ASSERT(!nests_.empty());
  const std::size_t begin = nests_.back();
  nests_.pop_back();
  const auto length = static_cast<std::uint16_t>(bytes_.size() - begin);
  std::memcpy(bytes_.data() + begin, &length, sizeof length);  // rta_len comes first
  return *this;
}

ConstBytes NetlinkRequest::finish(std::uint32_t sequence) {
  GINNEL_ASSERT(nests_.empty());
  const auto length = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
  std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
  return bytes_;
}

}  // namespace ginnel::io
