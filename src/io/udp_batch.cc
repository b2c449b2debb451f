#include "io/udp_batch.h"

#include "base/assert.h"

namespace ginnel::io {

ReceiveBatch::ReceiveBatch(std::size_t slots, std::size_t slot_bytes)
    : slot_bytes_(slot_bytes),
      memory_(slots * slot_bytes),
      headers_(slots),
      vectors_(slots),
      names_(slots),
      controls_(slots) {
  GINNEL_ASSERT(slots > 0);
  received_.reserve(slots);
}

SendBatch::SendBatch(std::size_t messages_max)
    : messages_max_(messages_max),
      headers_(messages_max),
      vectors_(messages_max),
      names_(messages_max),
      controls_(messages_max) {
  GINNEL_ASSERT(messages_max > 0);
  messages_.reserve(messages_max);
  failures_.reserve(messages_max);
}

bool SendBatch::add(const Outgoing& message) {
  if (full()) return false;
  GINNEL_ASSERT(message.segment_size == 0 ||
                message.bytes.size() <= message.segment_size * kSegmentsMax);
  messages_.push_back(message);
  return true;
}

void SendBatch::clear() {
  messages_.clear();
  first_ = 0;
  offset_ = 0;
}

}  // namespace ginnel::io
