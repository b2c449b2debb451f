#include "proto/control/signing.h"

namespace ginnel::control {

ByteVector signed_message(std::string_view label, std::initializer_list<ConstBytes> parts) {
  ByteVector out = to_vector(bytes_of(label));
  for (const ConstBytes part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace ginnel::control
