// The way out: one TUN read becomes sealed datagrams in the send buffer, in one pass.
//
//   SealedBatch batch;
//   Transmitter transmitter;
//   while (transmitter.push(now, table, read, batch).outcome == Outcome::kFull) send(batch);
//
//   1. parse        virtio header, IP header                       (tun_packet.h)
//   2. route        the longest prefix -> destination              (table.h)
//   3. fit          larger than the path? ICMP, or two FRAGMENTs   (icmp.h, control/fragment.h)
//   4. seal         each segment: written where it will be sealed, padded, sealed, relay header
//
//   slot [ relay header 16, if relayed | WireGuard header 16 | segment | padding | tag 16 ]
//
// One thread. Never allocates after construction.
#pragma once
#include "node/forward/icmp.h"
#include "node/forward/sealed_batch.h"
#include "node/forward/table.h"
#include "node/forward/tun_packet.h"

namespace ginnel::forward {

enum class Outcome : std::uint8_t {
  kSealed,     // all of it is in the batch
  kFull,       // some of it is: send the batch, clear it, and push the same read again
  kToControl,  // no key pair yet, or a slow destination: hand the segments to control
  kDropped,    // counted; `answer`, if any, goes to the TUN device
};

struct Pushed {
  Outcome outcome = Outcome::kDropped;
  ConstBytes answer;  // virtio header and ICMP packet; valid until the next push
  std::size_t first_segment = 0;  // kToControl: those before it are in the batch
};

class Transmitter {
 public:
  Transmitter();

  Pushed push(Instant now, const ForwardingTable& table, ConstBytes read, SealedBatch& batch);
  const DropCounters& drops() const { return drops_; }

 private:
  Pushed seal(Instant now, const TunPacket& packet, const Destination& to, SealedBatch& batch);
  Pushed seal_fragments(Instant now, const TunPacket& packet, const Destination& to,
                        SealedBatch& batch);
  Pushed refuse(Instant now, const TunPacket& packet, const Destination* to);
  Pushed progress(const TunPacket& packet);
  Pushed drop(Drop why);
  Pushed to_control();

  DropCounters drops_;
  IcmpAnswers icmp_;
  std::size_t next_segment_ = 0;   // of the read that did not fit; 0: a new one
  std::uint32_t next_fragment_;    // packet id
  ByteVector scratch_;             // a segment that becomes fragments
};

}  // namespace ginnel::forward
