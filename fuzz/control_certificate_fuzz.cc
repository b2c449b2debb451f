#include "base/assert.h"
#include "proto/control/network_info.h"
#include "proto/control/revocation.h"
#include "proto/control/signing.h"

namespace {

using namespace ginnel;
using namespace ginnel::control;

// Signatures are checked over re-written bytes, so parse and write must be inverse.
template <class T>
void check(const Result<T, Drop>& parsed, ConstBytes bytes) {
  if (parsed) GINNEL_ASSERT(equal(to_bytes(*parsed), bytes));
}

}  // namespace

// The first byte chooses what the rest is read as.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ConstBytes bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const crypto::NetworkPublic network;
  const Wall wall{1'800'000'000'000'000'000};
  switch (data[0] % 4) {
    case 0:
      check(parse_certificate(bytes), bytes);
      break;
    case 1:
      check(parse_network_info(bytes), bytes);
      break;
    case 2: {
      const auto chain = parse_chain(bytes);
      check(chain, bytes);
      // Nobody signs for the all-zero key.
      if (chain) GINNEL_ASSERT(!verify_chain(*chain, network, wall));
      break;
    }
    default: {
      const auto set = parse_revocations(bytes);
      check(set, bytes);
      if (set) GINNEL_ASSERT(!verify_revocations(*set, network, wall));
    }
  }
  return 0;
}
