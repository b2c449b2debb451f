// The layers around messages: label, encryption, checksum, compression.
//
//   datagram: label | ver nonce sealed tag | 0c crc | 09 compressed | 07 compound | message
//   stream:   label | 0a length ver nonce sealed tag     | 09 compressed         | message
//
//   Framer framer(options);
//   framer.seal_datagram(message, {.crc = true}, rng, out);
//   auto message = framer.open_datagram(datagram, scratch);
//   Unfolder(visitor).unfold(*message);   // unfold.h: compounds and compressed frames
//
// Not thread-safe.
#pragma once
#include "proto/swim/key_ring.h"
#include "proto/swim/push_pull_wire.h"

namespace ginnel::swim {

struct FrameOptions {
  std::string label;  // at most 255 bytes; empty: none
  // An outer layer has taken the label off already: one that is still there is an error.
  bool skip_inbound_label_check = false;
  // Encrypting a running cluster goes (false, false) -> (false, true) -> (true, true).
  bool verify_incoming = true;   // with keys: refuse what is not encrypted
  bool verify_outgoing = true;   // with keys: encrypt what is sent
  bool compress = true;
};

class Framer {
 public:
  struct SealOptions {
    bool crc = false;                     // the receiver's p_max is 5 or more
    std::uint8_t encryption_version = 1;  // 0 for members that speak protocol 1
  };
  // Who opens or writes a stream's bytes: only the dialer puts a label header before them.
  enum class Side { kDialer, kListener };

  explicit Framer(FrameOptions options) : options_(std::move(options)) {}

  const FrameOptions& options() const { return options_; }
  KeyRing& keys() { return keys_; }
  const KeyRing& keys() const { return keys_; }
  void set_verify(bool incoming, bool outgoing);

  // Bytes of a datagram that a message can't use.
  std::size_t datagram_overhead_bytes() const;
  // Appends the datagram. `message`: type byte first.
  void seal_datagram(ConstBytes message, const SealOptions& how, Rng& rng, ByteVector& out);
  // The message within, type byte first, in `datagram` or in `scratch`.
  // Errors: kTooShort, kEmpty, kWrongLabel, kNotEncrypted, kWrongKey, kBadVersion, kMalformed,
  // kBadCrc.
  Result<ConstBytes, Drop> open_datagram(ConstBytes datagram, ByteVector& scratch);

  // Appends what one side writes to a stream.
  void seal_stream(ConstBytes message, Side side, std::uint8_t encryption_version, Rng& rng,
                   ByteVector& out);
  // Takes the label header off a stream's first bytes: how many bytes that is, nullopt if it has
  // not all come. Errors: kWrongLabel.
  Result<std::optional<std::size_t>, Drop> label_bytes(ConstBytes stream) const;
  // `frame`: a complete encrypted frame with its 5-byte header.
  Result<ConstBytes, Drop> open_stream(ConstBytes frame, ByteVector& scratch);

 private:
  ConstBytes label() const { return bytes_of(options_.label); }
  bool encrypts() const { return !keys_.empty() && options_.verify_outgoing; }
  Result<ConstBytes, Drop> decrypted(ConstBytes datagram, ByteVector& scratch);

  FrameOptions options_;
  KeyRing keys_;
};

inline constexpr std::size_t kStreamHeaderBytes = 5;  // 0a and the length, u32be

// 09 {Algo, Buf}: appends `message` compressed.
void write_compressed(ConstBytes message, ByteVector& out);
// `body`: without the type byte. Errors: kMalformed, kTooShort, kBadCompression, kTooLarge, kEmpty.
Result<ByteVector, Drop> parse_compressed(ConstBytes body, std::size_t plain_bytes_max);

}  // namespace ginnel::swim
