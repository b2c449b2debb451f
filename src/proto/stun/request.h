// Our own Binding requests. They are padded to the size of the largest answer, so that nobody can
// use a hub of ours to send more than was sent to it.
//
//   size = write_request({.transaction = make_transaction(rng.array<12>())}, out);
//   if (const auto mapped = mapped_of(*Message::parse(answer), transaction)) ...
//
// Never allocates.
#pragma once
#include "proto/stun/wire.h"

namespace ginnel::stun {

// Header, XOR-MAPPED-ADDRESS, OTHER-ADDRESS and RESPONSE-ORIGIN, all IPv6.
inline constexpr std::size_t kRequestBytes = kHeaderBytes + 3 * 24;
// With GINNEL-CERT: room for a certificate chain (docs/wire/ginnel.md, "GINNEL-CERT").
inline constexpr std::size_t kCertRequestBytes = 600;
inline constexpr std::size_t kCertRequestBytesMax = 1232;

struct RequestOptions {
  std::array<std::uint8_t, 16> transaction{};
  bool change_port = false;          // answer from your other port
  bool want_certificate = false;     // GINNEL-CERT
  bool want_clock = false;           // GINNEL-TIME
  std::size_t size = kRequestBytes;  // a multiple of 4
};

// Returns `options.size`, or 0: no room, or less than the attributes themselves take.
std::size_t write_request(const RequestOptions& options, Bytes out);

// Where the server saw us: XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS. nullopt: no success response to
// `transaction`.
std::optional<Endpoint> mapped_of(const Message& answer,
                                  const std::array<std::uint8_t, 16>& transaction);

}  // namespace ginnel::stun
