// Several messages in one datagram (memberlist compoundMsg).
//
//    0    1       2                     2 + 2 x count
//    +----+-------+---------------------+-----------------------------+
//    | 07 | count | count x u16 lengths | the messages, back to back  |   big-endian
//    +----+-------+---------------------+-----------------------------+
#pragma once
#include <ginnel/result.h>

#include "base/reader.h"
#include "proto/swim/drop.h"

namespace ginnel::swim {

inline constexpr std::size_t kCompoundPartsMax = 255;
inline constexpr std::size_t kCompoundHeaderBytes = 2;
inline constexpr std::size_t kCompoundPartBytes = 2;  // what each message costs beyond itself

// 1 to 255 messages of 1 to 65535 bytes. With its type byte; appends.
void write_compound(std::span<const ByteVector> messages, ByteVector& out);

class CompoundReader {
 public:
  // `body`: without the type byte. Errors: kTooShort (not all of the lengths are there).
  static Result<CompoundReader, Drop> parse(ConstBytes body);
  // Borrowed from `body`. nullopt: no more, or the next is cut off; see missing().
  std::optional<ConstBytes> next();
  // Messages that were announced and are not there.
  std::size_t missing() const { return missing_; }

 private:
  CompoundReader(std::size_t count, ConstBytes lengths, ConstBytes messages)
      : left_(count), lengths_(lengths), messages_(messages) {}
  std::size_t left_;
  Reader lengths_;
  Reader messages_;
  std::size_t missing_ = 0;
};

}  // namespace ginnel::swim
