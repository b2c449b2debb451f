#include "proto/path/wire.h"

#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::path {
namespace {

constexpr std::uint8_t kPrimed = 1;
constexpr std::uint8_t kReply = 2;
constexpr std::uint8_t kNominate = 1;

Endpoint read_endpoint(Reader& r) {
  Endpoint out;
  out.address.bytes = r.array<16>();
  out.port = r.u16be();
  return out;
}
void write_endpoint(Writer& w, const Endpoint& endpoint) {
  w.array(endpoint.address.bytes).u16be(endpoint.port);
}

}  // namespace

Result<CallMeMaybe, Drop> CallMeMaybe::parse(ConstBytes body) {
  Reader r(body);
  CallMeMaybe m;
  m.transaction = r.u64le();
  const std::uint8_t flags = r.u8();
  const std::uint8_t mapping = r.u8();
  const std::uint8_t filtering = r.u8();
  const std::size_t count = r.u8();
  if (!r.ok()) return Fail(Drop::kTooShort);
  if ((flags & ~(kPrimed | kReply)) != 0) return Fail(Drop::kBadField);
  if (mapping > stun::kMappingLast || filtering > stun::kFilteringLast)
    return Fail(Drop::kBadField);
  if (count > kCandidatesMax) return Fail(Drop::kTooMany);
  m.primed = (flags & kPrimed) != 0;
  m.reply = (flags & kReply) != 0;
  m.nat = {static_cast<stun::Mapping>(mapping), static_cast<stun::Filtering>(filtering)};
  m.candidates.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t kind = r.u8();
    const Endpoint endpoint = read_endpoint(r);
    if (!r.ok()) return Fail(Drop::kTooShort);
    if (kind > kCandidateKindLast) return Fail(Drop::kBadField);
    m.candidates.push_back({static_cast<CandidateKind>(kind), endpoint});
  }
  if (!r.finished()) return Fail(Drop::kTrailing);
  return m;
}

std::size_t CallMeMaybe::write(Bytes out) const {
  if (candidates.size() > kCandidatesMax) return 0;
  Writer w(out);
  w.u64le(transaction);
  w.u8(static_cast<std::uint8_t>((primed ? kPrimed : 0) | (reply ? kReply : 0)));
  w.u8(static_cast<std::uint8_t>(nat.mapping)).u8(static_cast<std::uint8_t>(nat.filtering));
  w.u8(static_cast<std::uint8_t>(candidates.size()));
  for (const Candidate& candidate : candidates) {
    w.u8(static_cast<std::uint8_t>(candidate.kind));
    write_endpoint(w, candidate.endpoint);
  }
  return w.ok() ? w.size() : 0;
}

Result<Probe, Drop> Probe::parse(ConstBytes body) {
  Reader r(body);
  Probe m;
  m.transaction = r.u64le();
  m.sequence = r.u32le();
  const std::uint8_t flags = r.u8();
  if (!r.ok()) return Fail(Drop::kTooShort);
  if ((flags & ~kNominate) != 0) return Fail(Drop::kBadField);
  m.nominate = (flags & kNominate) != 0;
  m.padding = r.remaining();
  const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
  if (!std::ranges::all_of(r.rest(), is_zero)) return Fail(Drop::kBadField);
  return m;
}

std::size_t Probe::write(Bytes out) const {
  Writer w(out);
  w.u64le(transaction).u32le(sequence).u8(nominate ? kNominate : 0).zeros(padding);
  return w.ok() ? w.size() : 0;
}

Result<ProbeAnswer, Drop> ProbeAnswer::parse(ConstBytes body) {
  Reader r(body);
  ProbeAnswer m;
  m.transaction = r.u64le();
  m.sequence = r.u32le();
  m.observed = read_endpoint(r);
  m.received_bytes = r.u16le();
  if (!r.ok()) return Fail(Drop::kTooShort);
  if (!r.finished()) return Fail(Drop::kTrailing);
  return m;
}

std::size_t ProbeAnswer::write(Bytes out) const {
  Writer w(out);
  w.u64le(transaction).u32le(sequence);
  write_endpoint(w, observed);
  w.u16le(received_bytes);
  return w.ok() ? w.size() : 0;
}

template <class Body>
std::size_t write_frame(const Body& body, Bytes out) {
  if (out.size() < kFrameHeaderBytes) return 0;
  const std::size_t size = body.write(out.subspan(kFrameHeaderBytes));
  if (size == 0 || size > 0xffff) return 0;
  Writer(out).u8(static_cast<std::uint8_t>(Body::kType)).u16le(static_cast<std::uint16_t>(size));
  return kFrameHeaderBytes + size;
}
template std::size_t write_frame(const CallMeMaybe&, Bytes);
template std::size_t write_frame(const Probe&, Bytes);
template std::size_t write_frame(const ProbeAnswer&, Bytes);

}  // namespace ginnel::path
