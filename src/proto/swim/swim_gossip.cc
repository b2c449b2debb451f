// What goes out in datagrams: gossip rounds, and broadcasts that ride on other messages.
#include "proto/swim/compound.h"
#include "proto/swim/scaling.h"
#include "proto/swim/swim.h"

namespace ginnel::swim {

Framer::SealOptions Swim::seal_for(const Member& member) {
  return {.crc = member.vsn.can_crc(),
          .encryption_version = static_cast<std::uint8_t>(member.vsn.p_cur == 1 ? 0 : 1)};
}

std::size_t Swim::packet_bytes() const {
  const std::size_t taken = kCompoundHeaderBytes + framer_.datagram_overhead_bytes();
  return config_.udp_buffer_bytes > taken ? config_.udp_buffer_bytes - taken : 0;
}

// memberlist fills a packet from its own queue first, so that user messages starve when much
// happens. Deviation: every second packet is theirs first.
std::vector<ByteVector> Swim::take_broadcasts(std::size_t budget_bytes) {
  const auto limit = retransmit_limit(config_.retransmit_mult, members_.table().active_count());
  std::vector<ByteVector> out;
  BroadcastQueue* queues[] = {&members_.broadcasts(), &rumors_};
  if (!rumors_.empty() && !members_.broadcasts().empty()) {
    if (rumors_first_) std::swap(queues[0], queues[1]);
    rumors_first_ = !rumors_first_;
  }
  for (BroadcastQueue* queue : queues) {
    budget_bytes = queue->take(budget_bytes, kCompoundPartBytes, limit, out);
  }
  // A compound holds 255 parts; the smallest message has more than 5 bytes, so only a huge
  // udp_buffer_bytes gets here.
  if (out.size() >= kCompoundPartsMax) out.resize(kCompoundPartsMax - 1);
  return out;
}

// A message of ours, with as many broadcasts as fit beside it.
void Swim::send(PathId path, const Endpoint& to, ByteVector message) {
  const std::size_t used = message.size() + kCompoundPartBytes;
  const std::size_t room = packet_bytes();
  std::vector<ByteVector> messages;
  messages.push_back(std::move(message));
  if (room > used) {
    for (ByteVector& rider : take_broadcasts(room - used)) messages.push_back(std::move(rider));
  }
  // memberlist sends these "by address", so without checksum.
  send_packet(path, to, std::move(messages), {});
}

void Swim::send_packet(PathId path, const Endpoint& to, std::vector<ByteVector> messages,
                       Framer::SealOptions seal) {
  if (datagrams_.size() >= kDatagramsMax) return count(Drop::kQueueFull);
  ByteVector message;
  if (messages.size() == 1) message = std::move(messages[0]);
  else write_compound(messages, message);
  datagrams_.push_back({path, to, std::move(message), seal});
}

void Swim::gossip(Instant now) {
  const auto targets = members_.table().random(config_.gossip_nodes, [&](const Member& m) {
    if (members_.is_self(m) || m.state == State::kLeft || !reaches(m)) return false;
    return m.state != State::kDead || now - m.since <= config_.gossip_to_the_dead_time;
  });
  for (const Member* target : targets) {
    std::vector<ByteVector> messages = take_broadcasts(packet_bytes());
    if (messages.empty()) break;
    send_packet(kSocket, target->endpoint, std::move(messages), seal_for(*target));
  }
  check_leave(now);
}

// The ticks lie on a fixed grid, as a ticker's do, but only those are taken that have work.
void Swim::arm_gossip(Instant now) {
  if (timers_.is_set(Timer::kGossip)) return;
  if (members_.broadcasts().empty() && rumors_.empty()) return;
  if (members_.table().active_count() < 2) return;
  const Nanoseconds interval = config_.gossip_interval;
  const auto passed = now < gossip_epoch_ ? 0 : (now - gossip_epoch_) / interval + 1;
  timers_.set(Timer::kGossip, gossip_epoch_ + interval * passed);
}

// memberlist Leave: done when the message has been sent as often as it ever will, or at once when
// nobody is there to hear it.
void Swim::check_leave(Instant) {
  if (!timers_.is_set(Timer::kLeave)) return;
  const auto hears = [&](const Member* m) {
    return !members_.is_self(*m) && !m->is_gone() && reaches(*m);
  };
  const bool alone = std::ranges::none_of(members_.table().order(), hears);
  if (!alone && members_.broadcasts().contains(config_.name)) return;
  timers_.stop(Timer::kLeave);
  events_.push_back(LeaveDone{});
}

}  // namespace ginnel::swim
