// Alice and Bob agree on a key over an open line, and Alice sends a sealed, signed note. Every kind
// of key has a type of its own: a session key does not sign, an identity key does not agree.
#include "base/rng.h"
#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

#include <cstdio>
#include <random>

using namespace ginnel;
using namespace ginnel::crypto;

namespace {

Rng system_rng() {  // randomness is given to the library, never taken by it
  std::random_device device;
  Rng::Key key;
  for (auto& byte : key) byte = static_cast<std::uint8_t>(device());
  return Rng(key);
}

}  // namespace

int main() {
  Rng rng = system_rng();
  const auto alice = SessionSecret::generate(rng);
  const auto bob = SessionSecret::generate(rng);
  const auto signer = IdentitySecret::generate(rng);

  // Both compute the same secret, and derive a key from it, bound to what it is for.
  const auto hers = x25519(alice, public_of(bob));
  const auto his = x25519(bob, public_of(alice));
  if (!hers || !his || *hers != *his) return 1;  // an error: the other's key was a weak one
  Aead sealer(kdf1(*hers, bytes_of("example: notes")));
  Aead opener(kdf1(*his, bytes_of("example: notes")));

  const std::string_view note = "the bridge is open";
  const Signature signature = sign(signer, bytes_of(note));
  ByteVector sealed(note.size() + kTagBytes);
  sealer.seal(0, {}, bytes_of(note), sealed);  // counter 0; each counter once per key
  std::printf("on the line: %s\n", to_hex(sealed).c_str());

  ByteVector damaged = sealed;
  damaged[3] ^= std::byte{1};
  ByteVector opened(note.size());
  if (opener.open(0, {}, damaged, opened)) return 1;
  if (!opener.open(0, {}, sealed, opened)) return 1;
  const bool is_signed = verify(public_of(signer), opened, signature);
  std::printf("Bob reads: %s (%s by %s)\n", std::string(text_of(opened)).c_str(),
              is_signed ? "signed" : "NOT signed", public_of(signer).base64().c_str());
  return is_signed && text_of(opened) == note ? 0 : 1;
}
