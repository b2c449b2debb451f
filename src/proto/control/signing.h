// What is signed here, and how: a label, what it is about, and the message's own bytes before the
// signature (docs/wire/ginnel.md section 1). The label keeps a signature of one kind from passing
// for another.
//
// Allocates: for handshakes and tables, not for packets.
#pragma once
#include <initializer_list>
#include <string_view>

#include "base/bytes.h"
#include "base/writer.h"

namespace ginnel::control {

ByteVector signed_message(std::string_view label, std::initializer_list<ConstBytes> parts);

// The encoding of a message that has a greatest size. Empty: it exceeds it, which is a caller's
// mistake that the limits of the fields exclude.
template <class T>
ByteVector to_bytes(const T& message) {
  ByteVector out(T::kBytesMax);
  Writer w(out);
  encode(message, w);
  out.resize(w.ok() ? w.size() : 0);
  return out;
}

// As to_bytes, up to the signature.
template <class T>
ByteVector unsigned_bytes(const T& message) {
  ByteVector out(T::kBytesMax);
  Writer w(out);
  encode_unsigned(message, w);
  out.resize(w.ok() ? w.size() : 0);
  return out;
}

}  // namespace ginnel::control
