// Where a core's datagrams go: slots of a send batch, by socket. Models ginnel::Outbox.
//
//   SocketOutbox outbox(main, probe);
//   drain(node, now, outbox, deliver);
//   outbox.flush();                        // what the socket does not take stays for the next time
#pragma once
#include "base/core.h"
#include "io/udp_socket.h"

namespace ginnel::runtime {

class SocketOutbox {
 public:
  // Datagrams per flush. `probe` may be null: what is for it is dropped.
  static constexpr std::size_t kSlots = 64;
  // The longest datagram of control: a WireGuard message around 2048 bytes.
  static constexpr std::size_t kSlotBytes = 2112;

  SocketOutbox(io::UdpSocket& main, io::UdpSocket* probe);

  std::span<std::byte> slot();
  void commit(const Transmit& transmit);
  // True: everything is out. False: the socket is full; call again when it is writable.
  bool flush();

 private:
  struct Lane {
    io::UdpSocket* socket;
    io::SendBatch batch{kSlots};
  };
  bool flush(Lane& lane);

  ByteVector memory_;
  std::size_t used_ = 0;  // slots
  Lane main_;
  Lane probe_;
};

}  // namespace ginnel::runtime
