// Two devices that know each other, and a network in between that the input commands: it delivers,
// drops, repeats, changes and invents datagrams and lets time pass. Whatever it does, a device
// gives out only plaintexts that the other one sealed, each at most once, and never breaks.
//
// A command is one byte, its arguments follow. Node 1 has the static key of the recorded vectors,
// so that they get past mac1.
#include <deque>
#include <map>
#include <string>

#include "base/assert.h"
#include "base/drain.h"
#include "base/reader.h"
#include "proto/wg/device.h"
#include "proto/wg/padding.h"

namespace {

using namespace ginnel;
using namespace ginnel::wg;

constexpr std::size_t kFlyingMax = 64;
constexpr std::size_t kCommandsMax = 400;

crypto::SessionSecret counting_key(int first) {
  crypto::SessionSecret out;
  for (std::size_t i = 0; i < crypto::kKeyBytes; ++i) {
    out.writable()[i] = static_cast<std::byte>(first + static_cast<int>(i));
  }
  return out;
}

Endpoint endpoint_of(int node) {
  return {Address::v4(192, 0, 2, static_cast<std::uint8_t>(node + 1)), 51820};
}

struct Flying {
  int to;
  ByteVector bytes;
};

class Fuzz {
 public:
  explicit Fuzz(ConstBytes input) : input_(input) {
    for (int i = 0; i < 2; ++i) {
      PeerConfig config;
      config.preshared = *crypto::PresharedKey::from(preshared());
      peers_[i] = *devices_[i].add_peer(now_, devices_[1 - i].public_key(), std::move(config));
      devices_[i].set_endpoint(now_, peers_[i], kSocket, endpoint_of(1 - i));
    }
  }
  void run() {
    for (std::size_t i = 0; i < kCommandsMax && input_.remaining() > 0; ++i) {
      command();
      for (int node = 0; node < 2; ++node) pump(node);
    }
  }

 private:
  static ByteVector preshared() {
    ByteVector out(crypto::kKeyBytes);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(0xa1 + i);
    return out;
  }
  int node() { return input_.u8() & 1; }

  void command() {
    switch (input_.u8() % 10) {
      case 0:
        return send(node(), input_.u8());
      case 1:
        return deliver_next({}, 0);
      case 2:
        return deliver_next(input_.u8(), input_.u8());
      case 3:
        return pass(1ms * input_.u8());
      case 4:
        return pass(1s * input_.u8());
      case 5:
        return raw();
      case 6:
        return devices_[node()].begin_handshake(now_, peers_[0]);
      case 7:
        if (!flying_.empty()) flying_.pop_front();
        return;
      case 8:
        return devices_[node()].set_under_load((input_.u8() & 1) != 0);
      case 9:
        if (!last_.bytes.empty()) deliver(last_.to, last_.bytes);
        return;
    }
  }
  void send(int from, std::size_t size) {
    const std::string text = std::to_string(from) + std::to_string(next_text_++) +
                             std::string(size, static_cast<char>('a' + from));
    sent_[from][text] = 0;
    std::array<std::byte, 1024> out;
    const auto sealed = devices_[from].seal(now_, peers_[from], bytes_of(text), out);
    if (sealed) fly(1 - from, Bytes(out).first(*sealed));
  }
  void deliver_next(std::size_t at, std::uint8_t change) {
    if (flying_.empty()) return;
    Flying flying = std::move(flying_.front());
    flying_.pop_front();
    last_ = flying;
    if (change != 0) flying.bytes[at % flying.bytes.size()] ^= std::byte{change};
    deliver(flying.to, std::move(flying.bytes));
  }
  void raw() {
    const int to = node();
    const std::size_t size = input_.u16le() % 2048;
    deliver(to, to_vector(input_.take(std::min(size, input_.remaining()))));
  }
  void deliver(int to, ByteVector bytes) {
    const auto opened = devices_[to].open(now_, kSocket, endpoint_of(1 - to), bytes);
    if (!opened || opened->type != MessageType::kData || opened->plaintext.empty()) return;
    (void)without_padding(opened->plaintext);
    std::string text(text_of(opened->plaintext));
    text.erase(text.find_last_not_of('\0') + 1);
    const auto it = sent_[1 - to].find(text);
    GINNEL_ASSERT(it != sent_[1 - to].end());
    GINNEL_ASSERT(++it->second == 1);
  }
  void pass(Nanoseconds time) {
    now_ = now_ + time;
    for (Device& device : devices_) {
      device.handle_timeout(now_);
      GINNEL_ASSERT(!device.next_timeout() || *device.next_timeout() > now_);
    }
  }
  void fly(int to, ConstBytes bytes) {
    if (flying_.size() < kFlyingMax) flying_.push_back({to, to_vector(bytes)});
  }
  struct Box {
    Fuzz* fuzz;
    int to;
    std::array<std::byte, 4096> buffer{};
    Bytes slot() { return buffer; }
    void commit(const Transmit& t) { fuzz->fly(to, Bytes(buffer).first(t.size)); }
  };
  void pump(int i) {
    Box box{this, 1 - i};
    drain(devices_[i], now_, box, [](Device::Event&&) {});
  }

  Reader input_;
  Instant now_{1'000'000'000};
  Device devices_[2] = {
      Device({}, counting_key(0x01), Rng::from_seed(1), now_, Wall{1'000'000'000}),
      Device({}, counting_key(0x21), Rng::from_seed(2), now_, Wall{1'000'000'000})};
  PeerHandle peers_[2];
  std::deque<Flying> flying_;
  Flying last_{};
  int next_text_ = 0;
  std::map<std::string, int> sent_[2];  // plaintext -> times it arrived
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Fuzz(std::as_bytes(std::span(data, size))).run();
  return 0;
}
