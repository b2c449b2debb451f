#include "proto/control/datagram.h"

#include "base/assert.h"
#include "proto/control/fields.h"
#include "proto/control/lane.h"

namespace ginnel::control {

Result<Datagram, Drop> parse_datagram(ConstBytes body) {
  Reader r(body);
  Datagram out;
  out.channel = text_of(read_text8(r));
  if (out.channel.empty()) return refused(r);
  if (out.channel.size() > kChannelBytesMax) return Fail(Drop::kTooLong);
  out.data = r.rest();
  return out;
}

void encode(const Datagram& datagram, Writer& w) {
  GINNEL_ASSERT(!datagram.channel.empty());
  GINNEL_ASSERT(datagram.channel.size() <= kChannelBytesMax);
  write_text8(w, datagram.channel);
  w.put(datagram.data);
}

}  // namespace ginnel::control
