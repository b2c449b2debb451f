#include "base/assert.h"
#include "crypto/sign.h"
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

// The network that signed the seeds; nobody signs for the all-zero key.
const crypto::NetworkPublic& seeds_network() {
  static const crypto::NetworkPublic network = [] {
    std::array<std::byte, crypto::kKeyBytes> secret{};
    secret.fill(std::byte{0x11});
    return crypto::public_of(crypto::NetworkSecret(secret));
  }();
  return network;
}

// Long before, during, and long after what the seeds are valid for.
constexpr Wall kWalls[] = {{0}, {1'800'100'000'000'000'000}, {3'000'000'000'000'000'000}};

void check_certificate(ConstBytes bytes) {
  const auto certificate = parse_certificate(bytes);
  check(certificate, bytes);
  if (certificate) GINNEL_ASSERT(are_tags(certificate->tags));
}

void check_chain(ConstBytes bytes) {
  const auto chain = parse_chain(bytes);
  check(chain, bytes);
  if (!chain) return;
  for (const Wall wall : kWalls) {
    GINNEL_ASSERT(!verify_chain(*chain, crypto::NetworkPublic(), wall));
    (void)verify_chain(*chain, seeds_network(), wall);
  }
  (void)certificate_hash(bytes);
}

void check_info(ConstBytes bytes) {
  const auto info = parse_network_info(bytes);
  check(info, bytes);
  if (info) GINNEL_ASSERT(!verify_network_info(*info, crypto::IdentityPublic(), seeds_network()));
}

void check_revocations(ConstBytes bytes) {
  const auto set = parse_revocations(bytes);
  check(set, bytes);
  if (!set) return;
  for (const Wall wall : kWalls) {
    GINNEL_ASSERT(!verify_revocations(*set, crypto::NetworkPublic(), wall));
    (void)verify_revocations(*set, seeds_network(), wall);
  }
  (void)revocations_hash(*set);
  GINNEL_ASSERT(!supersedes(*set, *set));
  for (const auto& entry : set->entries) GINNEL_ASSERT(set->revokes(entry.id, entry.serial));
}

}  // namespace

// The first byte chooses what the rest is read as.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ConstBytes bytes = std::as_bytes(std::span(data, size)).subspan(1);
  switch (data[0] % 4) {
    case 0:
      check_certificate(bytes);
      break;
    case 1:
      check_info(bytes);
      break;
    case 2:
      check_chain(bytes);
      break;
    default:
      check_revocations(bytes);
  }
  return 0;
}
