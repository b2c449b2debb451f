// Answers DNS for the network's names on the node's overlay address, port 53 (RFC 1035
// section 4.2).
//
//   auto server = DnsServer::open(loop, own_overlay_address, "home");
//   (*server)->names().set(rows);
//
// Everything on the loop's thread; the loop outlives it. UDP alone: no answer needs more than 512
// bytes.
#pragma once
#include <memory>

#include "io/event_loop.h"
#include "io/udp_socket.h"
#include "runtime/names/name_table.h"

namespace ginnel::runtime {

inline constexpr std::uint16_t kDnsPort = 53;

class DnsServer {
 public:
  // Errors: kPortBusy, kPermission (port 53 needs root or CAP_NET_BIND_SERVICE), kConfigValue (the
  // host does not have the address), kInternal.
  static Result<std::unique_ptr<DnsServer>, Error> open(io::EventLoop& loop, const Address& address,
                                                        std::string_view network,
                                                        std::uint16_t port = kDnsPort);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;

  NameTable& names() { return names_; }
  Endpoint local() const { return socket_->local(); }

 private:
  DnsServer(io::EventLoop& loop, std::unique_ptr<io::UdpSocket> socket, std::string_view network)
      : loop_(loop), socket_(std::move(socket)), names_(network) {}
  void receive();
  void answer(const io::Received& received);

  // Questions taken in one go; those that come meanwhile wait in the socket, and past its buffer
  // they are lost and asked again.
  static constexpr std::size_t kQuestionsMax = 16;
  static constexpr int kBufferBytes = 256 << 10;

  io::EventLoop& loop_;
  std::unique_ptr<io::UdpSocket> socket_;
  NameTable names_;
  // A slot takes a question with EDNS of any sensible size; a longer one is cut and not answered.
  io::ReceiveBatch in_{kQuestionsMax, 2048};
  io::SendBatch out_{1};
};

}  // namespace ginnel::runtime
