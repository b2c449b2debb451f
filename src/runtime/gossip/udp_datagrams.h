// A member's datagrams over its UDP socket. A slot takes the largest datagram there is, so memory
// is only touched as far as it is used.
#pragma once
#include <memory>

#include "io/event_loop.h"
#include "io/udp_socket.h"
#include "proto/swim/limits.h"
#include "runtime/gossip/datagrams.h"

namespace ginnel::gossip {

class UdpDatagrams final : public Datagrams {
 public:
  UdpDatagrams(io::EventLoop& loop, std::unique_ptr<io::UdpSocket> socket, Handlers handlers);
  // Errors: kInternal.
  Result<void, Error> watch();

  std::span<std::byte> slot() override;
  void commit(const Transmit& transmit) override;
  void flush() override;
  void accepted(io::TcpStream stream) override { handlers_.on_stream(std::move(stream), {}); }
  std::size_t connection_count() const override { return 0; }

 private:
  static constexpr std::size_t kSlots = 16;
  static constexpr std::size_t kSlotBytes = swim::kDatagramBytesMax + 1;

  void receive();
  bool send();

  io::EventLoop& loop_;
  std::unique_ptr<io::UdpSocket> socket_;
  Handlers handlers_;
  std::unique_ptr<std::byte[]> memory_;
  io::SendBatch out_{kSlots};
  std::size_t used_ = 0;
  io::ReceiveBatch in_;
};

}  // namespace ginnel::gossip
