#include "proto/relay/relay_table.h"

#include <limits>

#include "proto/relay/index_allocator.h"

namespace ginnel::relay {

RelayTable::RelayTable(std::size_t peers_max) : places_(places_for(peers_max)) {}

RelayTable::Place* RelayTable::find(Index index) {
  Place& place = places_[index.value() & (places_.size() - 1)];
  return place.index == index && index != Index(0) ? &place : nullptr;
}

const RelayTable::Place* RelayTable::find(Index index) const {
  const Place& place = places_[index.value() & (places_.size() - 1)];
  return place.index == index && index != Index(0) ? &place : nullptr;
}

void RelayTable::add(Instant now, const Attachment& attachment) {
  if (attachment.index == Index(0)) return;
  Place& place = places_[attachment.index.value() & (places_.size() - 1)];
  place = {attachment.index,
           attachment.key,
           attachment.path,
           attachment.to,
           TokenBucket(attachment.quota, now),
           {}};
}

bool RelayTable::move(Index index, PathId path, const Endpoint& to) {
  Place* const place = find(index);
  if (place == nullptr) return false;
  place->path = path;
  place->to = to;
  return true;
}

void RelayTable::remove(Index index) {
  if (Place* const place = find(index)) *place = {};
}

Fail<Drop> RelayTable::drop(Drop why) {
  ++drops_[static_cast<std::size_t>(why)];
  return Fail(why);
}

Result<RelayTable::Place*, Drop> RelayTable::admit(Instant now, ConstBytes packet,
                                                   const Header& header) {
  if (header.hops != kHopsFromNode) return Fail(Drop::kHops);
  Place* const source = find(header.source);
  if (source == nullptr) return Fail(Drop::kUnknownSource);
  const std::size_t payload_bytes = packet.size() - kHeaderBytes;
  if (payload_bytes > std::numeric_limits<std::uint16_t>::max() ||
      header.tag != tag_of(packet, source->key)) {
    return Fail(Drop::kBadTag);
  }
  // Charged only now: who cannot make the tag burns nobody's quota.
  if (!source->bucket.take(now, packet.size())) {
    ++source->traffic.over_quota_packets;
    return Fail(Drop::kOverQuota);
  }
  return source;
}

Result<Transmit, Drop> RelayTable::forward(Instant now, Bytes packet) {
  const auto header = parse_header(packet);
  if (!header) return drop(header.error());
  const auto source = admit(now, packet, *header);
  if (!source) return drop(source.error());
  if (header->destination == header->source) return drop(Drop::kToItself);
  Place* const destination = find(header->destination);
  if (destination == nullptr) return drop(Drop::kUnknownDestination);
  write_header({header->source, kHopsFromHub, header->destination, 0}, destination->key, packet);

  const std::size_t payload_bytes = packet.size() - kHeaderBytes;
  ++(*source)->traffic.sent_packets;
  (*source)->traffic.sent_bytes += payload_bytes;
  ++destination->traffic.received_packets;
  destination->traffic.received_bytes += payload_bytes;
  Transmit out;
  out.path = destination->path;
  out.to = destination->to;
  out.size = packet.size();
  return out;
}

std::optional<Traffic> RelayTable::traffic(Index index) const {
  const Place* const place = find(index);
  return place == nullptr ? std::nullopt : std::optional(place->traffic);
}

}  // namespace ginnel::relay
