#include "proto/stun/binding_server.h"

namespace ginnel::stun {
namespace {

constexpr std::size_t kUdpBytes = 8;
constexpr std::size_t kClockBytes = 4 + 8;

std::size_t ip_bytes(const Address& address) { return address.is_v4() ? 20 : 40; }

// The largest answer: 1.4 times the request, both with their IP and UDP headers, so that a plain
// 20-byte request still gets its XOR-MAPPED-ADDRESS (48 -> 60 bytes IPv4, 68 -> 92 IPv6).
std::size_t answer_max(const Address& from, std::size_t request_bytes) {
  const std::size_t headers = ip_bytes(from) + kUdpBytes;
  return (request_bytes + headers) * 14 / 10 - headers;
}

std::size_t address_attribute_bytes(const Address& address) { return address.is_v4() ? 12 : 24; }
constexpr std::size_t bytes_attribute_bytes(std::size_t size) {
  return 4 + ((size + 3) & ~std::size_t{3});
}

// RFC 8489 section 6.3.1: unknown comprehension-required attributes get error 420 and their list.
Message refuse(const Message& request, const UnknownAttributes& unknown) {
  Message out = request.answer(kBindingError);
  out.error = ErrorCode{.code = 420, .reason = {}};
  out.unknown = unknown;
  return out;
}

}  // namespace

Endpoint BindingServer::endpoint_of(ServerPort port) const {
  return {options_.address, port == ServerPort::kMain ? options_.main_port : options_.probe_port};
}

// What is not needed is left out when it would make the answer too large: the certificate first
// of all must fit into the request's own size (it is the only large one), then OTHER-ADDRESS.
Message BindingServer::respond(Instant now, const Message& request, const Endpoint& from,
                               ServerPort answer_from, std::size_t request_bytes) const {
  Message out = request.answer(kBindingResponse);
  (request.has_cookie() ? out.xor_mapped : out.mapped) = from;
  std::size_t size = kHeaderBytes + address_attribute_bytes(from.address);
  const std::size_t with_certificate = size + bytes_attribute_bytes(certificate_.size());
  if (request.certificate && !certificate_.empty() && with_certificate <= request_bytes) {
    out.certificate = certificate_;
    size = with_certificate;
  }
  // A large answer must not exceed its request; a small one may by the 1.4 of the mapped address.
  const std::size_t room = std::max(
      request_bytes, out.certificate ? std::size_t{0} : answer_max(from.address, request_bytes));
  if (request.clock && clock_ && size + kClockBytes <= room) {
    out.clock = ClockReading{clock_->wall + (now - clock_->since)};
    size += kClockBytes;
  }
  if (options_.address.is_unspecified()) return out;
  const std::size_t each = address_attribute_bytes(options_.address);
  // Deviation: RFC 5780 section 7.4 and RFC 3489 section 11.2.3 mean another address *and* port. A
  // hub has one address, and its second port is what tells port-dependent mapping.
  if (options_.probe_port != 0 && size + each <= room) {
    out.other =
        endpoint_of(answer_from == ServerPort::kMain ? ServerPort::kProbe : ServerPort::kMain);
    size += each;
  }
  if (size + each <= room) out.origin = endpoint_of(answer_from);
  return out;
}

Result<BindingServer::Answer, Drop> BindingServer::handle_request(Instant now, const Endpoint& from,
                                                                  ServerPort arrived_on,
                                                                  ConstBytes request, Bytes out) {
  const auto parsed = Message::parse(request);
  if (!parsed) return Fail(parsed.error());
  if (parsed->type != kBindingRequest) return Fail(Drop::kNotRequest);
  const ChangeRequest change = parsed->change.value_or(ChangeRequest{});
  UnknownAttributes unknown = parsed->not_understood;
  const bool impossible = change.address || (change.port && options_.probe_port == 0);
  if (impossible) unknown.add(static_cast<std::uint16_t>(Attribute::kChangeRequest));
  // To the older form an error says nothing that silence does not: its clients wait for a time-out.
  if (unknown.count > 0 && !parsed->has_cookie()) return Fail(Drop::kUnanswerable);

  const ServerPort opposite =
      arrived_on == ServerPort::kMain ? ServerPort::kProbe : ServerPort::kMain;
  const ServerPort answer_from = change.port && !impossible ? opposite : arrived_on;
  const Message message =
      unknown.count > 0 ? refuse(*parsed, unknown)
                        : respond(now, *parsed, from, answer_from, request.size());
  const std::size_t size = message.write(out);
  if (size == 0 || size > answer_max(from.address, request.size())) return Fail(Drop::kTooSmall);
  if (!limiter_.allow(now, from.address)) return Fail(Drop::kRateLimited);
  return Answer{size, answer_from};
}

}  // namespace ginnel::stun
