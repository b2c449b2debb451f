#include "node/hub_inquiry.h"

#include "base/timers.h"

namespace ginnel::node {

void HubInquiry::ask(Instant now, std::size_t hub, std::vector<Endpoint> endpoints) {
  Asked& asked = asked_[hub];
  if (asked.endpoints == endpoints) return;
  asked.endpoints = std::move(endpoints);
  asked.next = 0;
  asked.paused_until.reset();
  asked.retry.stop();
  if (!asked.endpoints.empty()) asked.retry.start(now);
}

void HubInquiry::pause(std::size_t hub, Instant at) {
  const auto it = asked_.find(hub);
  if (it == asked_.end()) return;
  it->second.retry.stop();
  it->second.paused_until = at;
}

bool HubInquiry::handle_answer(Instant now, const Endpoint& from, ConstBytes datagram) {
  const auto message = stun::Message::parse(datagram);
  if (!message) return false;
  for (auto& [hub, asked] : asked_) {
    if (from != asked.sent_to || !stun::mapped_of(*message, asked.transaction)) continue;
    asked.sent_to = {};
    if (!message->certificate) {
      // Section 11: the chain did not fit, so the request grows.
      if (asked.request_bytes == stun::kCertRequestBytesMax) return true;
      asked.request_bytes = stun::kCertRequestBytesMax;
      asked.next = (asked.next + asked.endpoints.size() - 1) % asked.endpoints.size();
      asked.retry.start(now);
      return true;
    }
    if (events_.size() < kEventsMax)
      events_.push_back({hub, from, to_vector(*message->certificate)});
    return true;
  }
  return false;
}

void HubInquiry::handle_timeout(Instant now) {
  for (auto& [hub, asked] : asked_) {
    if (!asked.paused_until || *asked.paused_until > now) continue;
    asked.paused_until.reset();
    if (!asked.endpoints.empty()) asked.retry.start(now);
  }
}

std::optional<Transmit> HubInquiry::poll_transmit(Instant now, Bytes slot) {
  for (auto& [hub, asked] : asked_) {
    if (!asked.retry.take_due(now)) continue;
    asked.sent_to = asked.endpoints[asked.next];
    asked.next = (asked.next + 1) % asked.endpoints.size();
    asked.transaction = stun::make_transaction(rng_.array<12>());
    const std::size_t size = stun::write_request(
        {.transaction = asked.transaction, .want_certificate = true, .size = asked.request_bytes},
        slot);
    if (size > 0) return Transmit{.path = kSocket, .to = asked.sent_to, .size = size};
  }
  return std::nullopt;
}

std::optional<HubInquiry::Event> HubInquiry::poll_event() {
  if (events_.empty()) return std::nullopt;
  Event out = std::move(events_.front());
  events_.pop_front();
  return out;
}

std::optional<Instant> HubInquiry::next_timeout() const {
  std::optional<Instant> out;
  for (const auto& [hub, asked] : asked_) {
    out = earlier(out, earlier(asked.retry.next(), asked.paused_until));
  }
  return out;
}

}  // namespace ginnel::node
