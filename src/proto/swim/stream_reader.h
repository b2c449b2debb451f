// One message out of the bytes of a stream, however they are cut.
//
//   StreamReader reader(Framer::Side::kListener);
//   const auto complete = reader.feed(bytes, framer);
//   if (complete && *complete) use(reader.type(), reader.body());
//
// memberlist puts one message on a stream in each direction; what follows is ignored. Holds at most
// kStreamPlainBytesMax; a compressed frame is opened only when all of it has come.
#pragma once
#include "proto/swim/frame.h"

namespace ginnel::swim {

class StreamReader {
 public:
  explicit StreamReader(Framer::Side side) : side_(side) {}

  // True: the message is complete (then, always). After an error: no use.
  // Errors: as Framer's and MessageScanner's, kNotEncrypted, kUnexpectedCipher.
  Result<bool, Drop> feed(ConstBytes bytes, Framer& framer);

  MessageType type() const { return static_cast<MessageType>(message_[0]); }
  ConstBytes body() const { return ConstBytes(message_).subspan(1); }
  std::size_t buffered_bytes() const { return buffer_.size(); }
  // What could not be read, from its first byte. After an error.
  ConstBytes unread() const { return buffer_; }

 private:
  Result<bool, Drop> read_label(const Framer& framer);
  Result<bool, Drop> read_sealed(Framer& framer);
  Result<bool, Drop> read_plain(Framer& framer);
  Result<bool, Drop> complete(ConstBytes message);
  ConstBytes rest() const { return ConstBytes(buffer_).subspan(at_); }

  Framer::Side side_;
  bool label_read_ = false;
  bool complete_ = false;
  std::size_t at_ = 0;  // of the frame behind the label
  ByteVector buffer_;
  MessageScanner scanner_;
  ByteVector message_;
};

}  // namespace ginnel::swim
