#include "proto/control/control_message.h"

#include "base/reader.h"

namespace ginnel::control {

Result<ControlHeader, Drop> ControlHeader::parse(ConstBytes bytes) {
  Reader r(bytes);
  ControlHeader out;
  out.type = static_cast<ControlType>(r.u8());
  out.size = r.u32le();
  if (!r.ok()) return Fail(Drop::kTooShort);
  if (out.size > kControlMessageBytesMax) return Fail(Drop::kTooLong);
  return out;
}

}  // namespace ginnel::control
