#include "runtime/names/dns_server.h"

namespace ginnel::runtime {

Result<std::unique_ptr<DnsServer>, Error> DnsServer::open(io::EventLoop& loop,
                                                          const Address& address,
                                                          std::string_view network,
                                                          std::uint16_t port) {
  auto socket =
      io::UdpSocket::open({.bind = {address, port}, .buffer_bytes = kBufferBytes, .gro = false});
  if (!socket) return Fail(socket.error());
  std::unique_ptr<DnsServer> out(new DnsServer(loop, *std::move(socket), network));
  DnsServer* server = out.get();
  auto watched =
      loop.watch(server->socket_->fd(), {.read = true}, [server](io::Ready) { server->receive(); });
  if (!watched) return Fail(watched.error());
  return out;
}

DnsServer::~DnsServer() { loop_.unwatch(socket_->fd()); }

void DnsServer::receive() {
  for (const io::Received& received : socket_->receive(in_)) answer(received);
}

// What the socket does not take now is lost, as any datagram may be: the question comes again.
void DnsServer::answer(const io::Received& received) {
  const auto query = dns::parse_query(received.bytes);
  if (!query) return;
  std::array<std::byte, dns::kMessageBytesMax> bytes{};
  const std::size_t size = dns::write_answer(*query, names_.look_up(*query), bytes);
  out_.clear();
  (void)out_.add(
      {.to = received.from, .source = received.local, .bytes = ConstBytes(bytes).first(size)});
  (void)socket_->send(out_);
}

}  // namespace ginnel::runtime
