#include "outsider.h"

#include <algorithm>

#include "proto/stun/wire.h"

namespace ginnel::hostile {

std::size_t Outsider::write(Instant now, const crypto::SessionPublic& key, Bytes slot) {
  const bool random = rng_.chance(0.5);
  ++(random ? counts_.random : counts_.mutated);
  const ConstBytes seed = seeds_.outer();
  const ByteVector bytes = random ? seeds_.random() : seeds_.mutated(seed);
  std::ranges::copy(bytes, slot.begin());
  note_capture(seed, bytes);
  // mac1 needs no more than the public key; with it a message costs the target a Diffie-Hellman.
  const bool is_initiation =
      bytes.size() == wg::kInitiationBytes && bytes[0] == std::byte{1} && !random;
  if (is_initiation && rng_.chance(0.2)) {
    wg::CookieJar(key, 120s).add_macs(now, slot.first(bytes.size()));
  }
  return bytes.size();
}

// A change may leave an initiation as good as it was: only its keys and timestamp are authentic, the
// index in front and the MACs behind anybody can write. If the target refused it when its owner sent
// it (a cookie was demanded), it is as good as new, and its due is a response.
void Outsider::note_capture(ConstBytes seed, ConstBytes sent) {
  constexpr std::size_t kFirst = 8, kSize = wg::kInitiationBytes - 32 - kFirst;
  const auto initiation = wg::Initiation::parse(sent);
  if (initiation && seed.size() == sent.size() &&
      equal(seed.subspan(kFirst, kSize), sent.subspan(kFirst, kSize))) {
    captured_.insert(initiation->sender);
  }
}

void Outsider::judge(ConstBytes reply) {
  const auto stun = stun::Message::parse(reply);
  const auto response = wg::Response::parse(reply);
  if (response && captured_.contains(response->receiver)) {
    ++counts_.responses;
  } else if (wg::CookieReply::parse(reply)) {
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
