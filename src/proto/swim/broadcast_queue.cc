#include "proto/swim/broadcast_queue.h"

namespace ginnel::swim {

void BroadcastQueue::erase(std::map<Key, Entry>::iterator it) {
  by_subject_.erase(it->second.subject);
  messages_.erase(it);
}

void BroadcastQueue::add(std::string_view subject, ByteVector message) {
  if (const auto old = by_subject_.find(subject); old != by_subject_.end()) {
    erase(messages_.find(old->second));
  }
  if (messages_.size() == kMessagesMax) erase(std::prev(messages_.end()));
  const Key key{0, inverse(message.size()), ~++added_};
  if (!subject.empty()) by_subject_.emplace(subject, key);
  messages_.emplace(key, Entry{std::string(subject), std::move(message)});
}

std::size_t BroadcastQueue::take(std::size_t budget_bytes, std::size_t overhead_bytes,
                                 std::uint32_t transmit_limit, std::vector<ByteVector>& out) {
  // Put back afterwards: nothing twice in a packet. As nodes, so that nothing is allocated anew.
  std::vector<std::map<Key, Entry>::node_type> taken;
  auto it = messages_.begin();
  while (it != messages_.end() && budget_bytes > overhead_bytes) {
    const std::size_t room = budget_bytes - overhead_bytes;
    if (it->second.message.size() > room) {
      // The first that fits of those sent as often, else the next ones' first.
      it = messages_.lower_bound({it->first.transmits, inverse(room), 0});
      continue;
    }
    budget_bytes -= it->second.message.size() + overhead_bytes;
    out.push_back(it->second.message);
    taken.push_back(messages_.extract(it++));
  }
  for (auto& node : taken) {
    const std::string& subject = node.mapped().subject;
    if (++node.key().transmits < transmit_limit) {
      if (!subject.empty()) by_subject_.find(subject)->second = node.key();
      messages_.insert(std::move(node));
    } else if (!subject.empty()) {
      by_subject_.erase(subject);
    }
  }
  return budget_bytes;
}

}  // namespace ginnel::swim
