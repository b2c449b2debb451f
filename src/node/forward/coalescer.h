// Packets for the TUN device, joined into super packets where they are consecutive pieces of one
// TCP flow, or equal datagrams of one UDP flow: one write for many packets.
//
//   Coalescer tun({.tcp = true, .udp = true});
//   tun.add(packet);                             // packets stay where they are
//   for (std::size_t i = 0; i < tun.finish(); ++i) write(tun.parts(i));   // writev
//   tun.clear();
//
// What may be joined is what the kernel's own GRO would (linux net/ipv4/tcp_offload.c
// tcp_gro_receive): same flow, TTL, TOS, options, acknowledgement and window; payload next in
// sequence, none longer than the first, nothing behind a shorter one or a PSH. Each checksum is
// verified first, since the kernel makes a new one for the whole. Packets of one flow keep
// their order.
//
// Headers of joined packets are changed in place by finish(). Allocates in its constructor only.
#pragma once
#include <array>
#include <optional>
#include <vector>

#include "node/forward/ip_packet.h"
#include "node/forward/vnet_header.h"

namespace ginnel::forward {

class Coalescer {
 public:
  struct Options {
    bool tcp = true;
    bool udp = false;  // needs VIRTIO_NET_HDR_GSO_UDP_L4, Linux 6.2
  };
  static constexpr std::size_t kPacketsMax = 1024;
  // Of one write: the virtio header, the first packet, and the payloads behind it.
  static constexpr std::size_t kPartsMax = 128;

  explicit Coalescer(Options options);

  bool full() const { return packets_.size() == kPacketsMax; }
  bool empty() const { return packets_.empty(); }
  // `packet` is exactly as long as its header says; not to be called when full().
  void add(Bytes packet, const IpPacket& ip);
  // Completes the headers; returns the number of writes.
  std::size_t finish();
  // Valid until the next parts(), add() or clear().
  std::span<const ConstBytes> parts(std::size_t write);
  void clear();

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::size_t kFlows = 64;  // open at once; a power of two

  struct Packet {
    Bytes bytes;
    std::size_t headers = 0;     // IP and transport
    std::uint32_t next = kNone;  // of the same write
  };
  struct Write {
    std::uint32_t first = 0;  // into packets_
    std::uint32_t last = 0;
    IpPacket ip;
    std::size_t count = 1;          // packets
    std::size_t total = 0;          // bytes of the super packet
    std::uint32_t next_sequence = 0;
    bool closed = true;             // takes no more
    VnetHeader vnet;
  };
  // What is to know of a packet that may be joined.
  struct Piece {
    std::size_t headers = 0;
    std::size_t payload = 0;
    std::uint32_t sequence = 0;
    bool ends = false;  // PSH
  };

  bool may_join_at_all(const IpPacket& ip) const;
  static std::optional<Piece> examine(ConstBytes packet, const IpPacket& ip);
  std::uint32_t& open_write(ConstBytes packet, const IpPacket& ip);
  bool join(Write& write, Bytes packet, const IpPacket& ip, const Piece& piece);
  static bool same_flow(ConstBytes a, ConstBytes b, const IpPacket& ip, std::size_t headers);
  void complete(Write& write);

  Options options_;
  std::vector<Packet> packets_;
  std::vector<Write> writes_;
  std::array<std::uint32_t, kFlows> open_;  // by flow hash: the latest write of the flow
  std::array<ConstBytes, kPartsMax> parts_;
  std::array<std::byte, kVnetHeaderBytes> vnet_{};
};

}  // namespace ginnel::forward
