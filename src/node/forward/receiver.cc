#include "node/forward/receiver.h"

#include <algorithm>

#include "base/reader.h"
#include "node/forward/sealed_batch.h"
#include "proto/control/frame.h"

namespace ginnel::forward {
namespace {

constexpr std::uint32_t kFirstHandshake = 1;
constexpr std::uint32_t kLastHandshake = 3;
constexpr std::uint32_t kData = 4;
constexpr std::uint8_t kReservedFrom = 0x81;

}  // namespace

Receiver::Receiver(std::size_t relay_places) {
  if (relay_places > 0) relay_.emplace(relay_places);
}

void Receiver::apply(Instant now, const RelayChange& change) {
  if (!relay_) return;
  const relay::Attachment& who = change.attachment;
  switch (change.kind) {
    case RelayChange::Kind::kAdd: return relay_->add(now, who);
    case RelayChange::Kind::kMove: return void(relay_->move(who.index, who.path, who.to));
    case RelayChange::Kind::kRemove: return relay_->remove(who.index);
  }
}

std::size_t Receiver::handle(Instant now, const ForwardingTable& table, const ReceivedRun& run,
                             std::size_t at, ReceiveOutput& out) {
  const Arrival arrival{now, table, {kSocket, run.from}, run.local};
  const std::size_t begin = at;
  while (at < run.bytes.size() && !out.full()) {
    const std::size_t left = run.bytes.size() - at;
    const std::size_t size = run.segment_size == 0 ? left : std::min(run.segment_size, left);
    handle_datagram(arrival, run.bytes.subspan(at, size), out);
    at += size;
  }
  return at - begin;
}

void Receiver::handle_unwrapped(Instant now, const ForwardingTable& table, const wg::Route& from,
                                const Address& local, Bytes message, ReceiveOutput& out) {
  handle_wireguard({now, table, from, local}, message, out);
}

// docs/wire/ginnel.md section 2, in this order.
void Receiver::handle_datagram(const Arrival& arrival, Bytes bytes, ReceiveOutput& out) {
  const std::uint32_t type = Reader(bytes).u32le();
  if (type == kData || (type >= kFirstHandshake && type <= kLastHandshake)) {
    return handle_wireguard(arrival, bytes, out);
  }
  if (relay::is_relay(bytes)) return handle_relay(arrival, bytes, out);
  const bool is_reserved = !bytes.empty() && bytes[0] >= std::byte{kReservedFrom};
  if (is_reserved) return drops_.count(Drop::kReservedOuter);
  out.control.push_back({.kind = ToControl::Kind::kDatagram,
                         .from = arrival.from,
                         .local = arrival.local,
                         .bytes = bytes});
}

// --- 2: relay

void Receiver::handle_relay(const Arrival& arrival, Bytes bytes, ReceiveOutput& out) {
  const auto header = relay::parse_header(bytes);
  if (!header) return drops_.count(Drop::kRelay);
  if (header->hops == relay::kHopsFromHub) return handle_from_hub(arrival, bytes, out);
  if (!relay_) return drops_.count(Drop::kRelay);
  const auto transmit = relay_->forward(arrival.now, bytes);
  if (!transmit) return drops_.count(Drop::kRelay);  // which reason: RelayTable::dropped
  forward(*transmit, bytes, out);
}

void Receiver::forward(const Transmit& transmit, Bytes bytes, ReceiveOutput& out) {
  if (transmit.path != kSocket) {
    out.control.push_back({.kind = ToControl::Kind::kRelayed,
                           .from = {transmit.path, transmit.to},
                           .bytes = bytes});
    return;
  }
  // Neighbours of one run that go to the same node leave as one send.
  if (!out.relayed.empty()) {
    Relayed& last = out.relayed.back();
    const bool follows = last.bytes.data() + last.bytes.size() == bytes.data() &&
                         last.bytes.size() == last.segments * last.segment_size;
    if (follows && last.to == transmit.to && bytes.size() <= last.segment_size &&
        last.segments < kSegmentsMax && last.bytes.size() + bytes.size() <= kMessageBytesMax) {
      last.bytes = Bytes(last.bytes.data(), last.bytes.size() + bytes.size());
      ++last.segments;
      return;
    }
  }
  out.relayed.push_back({transmit.to, bytes, bytes.size(), 1});
}

// The index says which attachments it can be, the tag which one it is.
void Receiver::handle_from_hub(const Arrival& arrival, Bytes bytes, ReceiveOutput& out) {
  for (const RelayAttachment& hub : arrival.table.attachments()) {
    const auto opened = relay::open(bytes, hub.own, hub.key);
    if (!opened) continue;
    const std::uint32_t type = Reader(opened->payload).u32le();
    if (type < kFirstHandshake || type > kData) break;  // nothing else is ever relayed
    const Arrival relayed{arrival.now,
                          arrival.table,
                          {hub.path, {Address::v4(opened->source.value()), 0}},
                          arrival.local};
    return handle_wireguard(relayed, opened->payload, out);
  }
  drops_.count(Drop::kRelay);
}

// --- 3: open

void Receiver::handle_wireguard(const Arrival& arrival, Bytes bytes, ReceiveOutput& out) {
  ToControl item{.kind = ToControl::Kind::kDatagram,
                 .from = arrival.from,
                 .local = arrival.local,
                 .bytes = bytes};
  if (Reader(bytes).u32le() != kData) {
    out.control.push_back(item);
    return;
  }
  const auto header = wg::DataHeader::parse(bytes);
  if (!header) return drops_.count(Drop::kNotAuthentic);
  const Origin* const origin = arrival.table.origin(header->receiver);
  if (origin == nullptr) {
    item.kind = ToControl::Kind::kUnknownIndex;
    item.index = header->receiver;
    out.control.push_back(item);
    return;
  }
  const auto plaintext = origin->key_pair->open(arrival.now, bytes);
  if (!plaintext) {
    return drops_.count(plaintext.error() == wg::Drop::kReplayed ? Drop::kReplayed
                                                                 : Drop::kNotAuthentic);
  }
  handle_opened(arrival, *origin, *plaintext, out);
}

// --- 4: what is inside

void Receiver::handle_opened(const Arrival& arrival, const Origin& origin, Bytes plaintext,
                             ReceiveOutput& out) {
  using Packet = wg::Activity::Packet;
  origin.key_pair->activity().note_received(
      arrival.now, plaintext.empty() ? Packet::kKeepalive : Packet::kData);
  note_facts(arrival, origin, out);
  switch (control::inner_kind(plaintext)) {
    case control::InnerKind::kKeepalive: return;
    case control::InnerKind::kUnknown: return drops_.count(Drop::kUnknownInner);
    case control::InnerKind::kIp: return handle_ip(arrival, origin, plaintext, out);
    case control::InnerKind::kFrames: break;
  }
  if (!origin.takes_frames) return drops_.count(Drop::kNotReady);
  out.control.push_back({.kind = ToControl::Kind::kFrames,
                         .from = arrival.from,
                         .local = arrival.local,
                         .index = origin.key_pair->local_index(),
                         .bytes = plaintext});
}

void Receiver::note_facts(const Arrival& arrival, const Origin& origin, ReceiveOutput& out) {
  const bool confirmed = origin.key_pair->take_first_received();
  bool is_new_source = arrival.from != origin.expected;
  if (!is_new_source) {
    origin.traffic->expected_received_ns.store(arrival.now.ns, std::memory_order_relaxed);
  } else {
    auto& reported = origin.traffic->source_reported_ns;
    const Instant last{reported.load(std::memory_order_relaxed)};
    is_new_source = arrival.now - last >= kSourceInterval;
    if (is_new_source) reported.store(arrival.now.ns, std::memory_order_relaxed);
  }
  if (!confirmed && !is_new_source) return;
  out.control.push_back({.kind = ToControl::Kind::kFacts,
                         .from = arrival.from,
                         .local = arrival.local,
                         .index = origin.key_pair->local_index(),
                         .confirmed = confirmed,
                         .is_new_source = is_new_source});
}

// --- 5: whose is it

void Receiver::handle_ip(const Arrival& arrival, const Origin& origin, Bytes plaintext,
                         ReceiveOutput& out) {
  if (!origin.ip_allowed) return drops_.count(Drop::kNotReady);
  const auto ip = IpPacket::parse(plaintext);
  if (!ip) return drops_.count(ip.error());
  const Destination* const sender = arrival.table.route(ip->source);
  if (sender == nullptr || sender->peer != origin.peer) return drops_.count(Drop::kWrongSource);
  origin.traffic->note_received(arrival.now, 1, ip->size);
  out.tun.add(plaintext.first(ip->size), *ip);
}

}  // namespace ginnel::forward
