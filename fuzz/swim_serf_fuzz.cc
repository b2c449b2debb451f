// Whatever a user message, a push/pull's user state, an ack's payload, a member's metadata or a
// query's filter holds, serf's parsers give a value or a Drop, and a value comes back as it was.
#include <cstdlib>

#include "proto/swim/serf/filter.h"
#include "proto/swim/serf/serf.h"
#include "proto/swim/serf/user_state.h"

namespace {

using namespace ginnel;
using namespace ginnel::swim::serf;

template <class Message>
void both_ways(ConstBytes body) {
  const auto read = Message::parse(body);
  if (!read) return;
  const ByteVector bytes = encode(*read);
  const auto again = Message::parse(ConstBytes(bytes).subspan(1));
  if (!again || encode(*again) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConstBytes input = std::as_bytes(std::span(data, size));
  if (input.empty()) return 0;
  const ConstBytes body = input.subspan(1);
  switch (static_cast<Type>(input[0])) {
    case Type::kLeave: both_ways<LeaveIntent>(body); break;
    case Type::kJoin: both_ways<JoinIntent>(body); break;
    case Type::kUserEvent: both_ways<UserEvent>(body); break;
    case Type::kQuery: both_ways<Query>(body); break;
    case Type::kQueryResponse: both_ways<QueryResponse>(body); break;
    case Type::kKeyRequest: both_ways<KeyRequest>(body); break;
    case Type::kKeyResponse: both_ways<KeyResponse>(body); break;
    case Type::kRelay: (void)Relay::parse(body); break;
    default: break;
  }
  if (const auto state = UserState::parse(input)) {
    const ByteVector bytes = encode(*state);
    const auto again = UserState::parse(bytes);
    if (!again || encode(*again) != bytes) std::abort();
  }
  (void)from_payload(input);
  if (const auto tags = decode_tags(input)) {
    if (decode_tags(encode_tags(*tags)) != tags) std::abort();
  }
  (void)holds(input, "a", {{"role", "web"}});
  return 0;
}
