#include "node/forwarding_control.h"

namespace ginnel::node {

using Kind = forward::ToControl::Kind;

void ForwardingControl::take(Instant now, const forward::ToControl& told) {
  switch (told.kind) {
    case Kind::kDatagram:
      return node_.handle_datagram(now, told.from.path, told.from.endpoint, told.bytes);
    case Kind::kUnknownIndex:
      // Of a pair that is gone, or it came before the table with its index, which may be out by
      // now: opened by who opens all of that pair, behind that table.
      if (node_.knows_index(told.index) && early_.size() < kEarlyMax) {
        early_.push_back({told, to_vector(told.bytes)});
      }
      return;
    case Kind::kFrames:
      return node_.handle_opened(now, told.index, told.from, told.bytes);
    case Kind::kFacts:
      return node_.handle_data_facts(
          now, told.index,
          {told.confirmed, told.is_new_source ? std::optional(told.from) : std::nullopt});
    case Kind::kRelayed:
      return;  // to a node that is attached by a stream: this hub has none
  }
}

bool ForwardingControl::handle(Event& event) {
  if (std::holds_alternative<ForwardingChanged>(event)) {
    changed_ = true;
  } else if (auto* done = std::get_if<KeyPairDone>(&event)) {
    done_.push_back(std::move(done->key_pair));
    changed_ = true;
  } else if (const auto* relay = std::get_if<RelayChanged>(&event)) {
    relay_changes_.push_back(relay->change);
  } else {
    return false;
  }
  return true;
}

}  // namespace ginnel::node
