#include "outsider.h"

#include <algorithm>

#include "proto/stun/wire.h"

namespace ginnel::hostile {

std::size_t Outsider::write(Instant now, const crypto::SessionPublic& key, Bytes slot) {
  const bool random = rng_.chance(0.5);
  ++(random ? counts_.random : counts_.mutated);
  const ByteVector bytes = random ? seeds_.random() : seeds_.mutated(seeds_.outer());
  std::ranges::copy(bytes, slot.begin());
  // mac1 needs no more than the public key; with it a message costs the target a Diffie-Hellman.
  const bool is_initiation =
      bytes.size() == wg::kInitiationBytes && bytes[0] == std::byte{1} && !random;
  if (is_initiation && rng_.chance(0.2)) {
    wg::CookieJar(key, 120s).add_macs(now, slot.first(bytes.size()));
  }
  return bytes.size();
}

void Outsider::judge(ConstBytes reply) {
  const auto stun = stun::Message::parse(reply);
  if (wg::CookieReply::parse(reply)) {
    ++counts_.cookies;
  } else if (stun && (stun->type == stun::kBindingResponse || stun->type == stun::kBindingError)) {
    ++counts_.stun;
  } else {
    ++counts_.wrong;
  }
}

std::size_t Stranger::write(Instant now, Wall wall, const crypto::SessionPublic& key, Bytes slot) {
  const wg::LocalKeys own(crypto::SessionSecret::generate(rng_));
  const auto remote = wg::RemoteKeys::make(own, key, {});
  if (!remote) return 0;
  wg::Initiation message;
  wg::TimestampSource stamps{wg::Timestamp{}};
  const auto made =
      wg::create_initiation(own, *remote, crypto::SessionSecret::generate(rng_),
                            wg::ReceiverIndex(rng_.u32()), stamps.next(wall), message);
  if (!made) return 0;
  const std::size_t size = message.write(slot);
  wg::CookieJar(key, 120s).add_macs(now, slot.first(size));
  return size;
}

}  // namespace ginnel::hostile
