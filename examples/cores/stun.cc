// "How do others see my address?" A client asks, a server answers, and what the client learns is
// the address that its NAT gave it. The datagrams are printed: any STUN program would understand
// them.
#include "base/rng.h"
#include "proto/stun/binding_server.h"
#include "proto/stun/request.h"

#include <cstdio>

using namespace ginnel;
using namespace ginnel::stun;

int main() {
  const Endpoint at_server = *Endpoint::parse("198.51.100.1:3478");
  const Endpoint behind_nat = *Endpoint::parse("203.0.113.9:49152");  // as the server sees us
  Rng rng = Rng::from_seed(1);  // in earnest: keyed with 32 bytes of the kernel

  // The client. A request is answered by whoever saw its transaction.
  const auto transaction = make_transaction(rng.array<12>());
  std::array<std::byte, kRequestBytes> request;
  write_request({.transaction = transaction}, request);
  std::printf("request: %s\n", to_hex(request).c_str());

  // The server: one request in, at most one answer out. It never answers with much more than it was
  // sent, and not too often, so that nobody can aim it at others.
  BindingServer server({.address = at_server.address, .main_port = at_server.port});
  std::array<std::byte, 1500> out;
  const auto answer = server.handle_request(Instant{}, behind_nat, ServerPort::kMain, request, out);
  if (!answer) return 1;
  const ConstBytes datagram = ConstBytes(out).first(answer->size);
  std::printf("answer:  %s\n", to_hex(datagram).c_str());

  // The client again.
  const auto message = Message::parse(datagram);
  if (!message) return 1;
  const auto mapped = mapped_of(*message, transaction);
  if (!mapped) return 1;
  std::printf("I am seen as %s by %s\n", mapped->text().c_str(),
              message->origin ? message->origin->text().c_str() : "a server");

  const bool is_fooled = mapped_of(*message, make_transaction(rng.array<12>())).has_value();
  return *mapped == behind_nat && !is_fooled ? 0 : 1;
}
