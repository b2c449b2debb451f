// The other end of tests/interop/wireguard_go.sh: a Device on a real socket against a stock
// WireGuard program.
//
//   wireguard_go_peer initiate|respond PRIVATE_FILE PEER_FILE PSK_FILE PORT PEER_IP:PORT SECONDS
//
// Sends an ICMP echo request of 10.78.0.2 to 10.78.0.1 each 200 ms, as `respond` only once there is
// a session, and answers those that come. The files are what `wg genkey`, `pubkey` and `genpsk`
// write. Prints what happened, one `name value` a line: initiated, accepted (sessions in either
// role), replies, requests.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string_view>

#include "base/base64.h"
#include "base/drain.h"
#include "base/reader.h"
#include "base/writer.h"
#include "proto/wg/device.h"
#include "proto/wg/padding.h"

namespace {

using namespace ginnel;
using namespace ginnel::wg;

constexpr std::size_t kPacketMax = 2048;
constexpr std::size_t kIpv4Header = 20;
constexpr std::uint8_t kEchoRequest = 8;
constexpr std::uint8_t kEchoReply = 0;

std::int64_t clock_ns(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}
Instant now() { return {clock_ns(CLOCK_BOOTTIME)}; }

std::uint16_t checksum(ConstBytes bytes) {
  Reader reader(bytes);
  std::uint32_t sum = 0;
  while (reader.remaining() >= 2) sum += reader.u16be();
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// An inner IPv4 packet with an ICMP echo of 24 bytes of payload, all checksums right.
std::size_t write_echo(std::uint8_t type, std::uint16_t sequence, Bytes out) {
  constexpr std::size_t kSize = kIpv4Header + 8 + 24;
  Writer ip(out);
  ip.u16be(0x4500).u16be(kSize).u32be(0).u8(64).u8(1).u16be(0);
  ip.u32be(0x0a4e0002).u32be(0x0a4e0001);
  Writer(out.subspan(10)).u16be(checksum(out.first(kIpv4Header)));
  const Bytes icmp = out.subspan(kIpv4Header, kSize - kIpv4Header);
  Writer(icmp).u8(type).u8(0).u16be(0).u16be(0x4747).u16be(sequence).zeros(24);
  Writer(icmp.subspan(2)).u16be(checksum(icmp));
  return kSize;
}

class Program {
 public:
  Program(crypto::SessionSecret key, const crypto::SessionPublic& theirs, crypto::PresharedKey psk,
          std::uint16_t port, const Endpoint& to)
      : device_({}, std::move(key), rng_.fork("device"), now(), Wall{clock_ns(CLOCK_REALTIME)}),
        to_(to) {
    PeerConfig config;
    config.preshared = std::move(psk);
    peer_ = device_.add_peer(now(), theirs, std::move(config)).value();
    device_.set_endpoint(now(), peer_, kSocket, to);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  }
  ~Program() { close(socket_); }

  void run(Instant end, bool initiates) {
    Instant next_ping = now();
    while (now() < end) {
      if (now() >= next_ping) {
        next_ping = next_ping + 200ms;
        if (initiates || accepted_ > 0) echo(kEchoRequest, ++sequence_);
      }
      pollfd ready{socket_, POLLIN, 0};
      if (poll(&ready, 1, 20) > 0) receive();
      device_.handle_timeout(now());
      pump();
    }
  }
  void print() const {
    std::printf("initiated %d\naccepted %d\nreplies %d\nrequests %d\n", initiated_, accepted_,
                replies_, requests_);
  }

  Bytes slot() { return buffer_; }
  void commit(const Transmit& t) { send_datagram(Bytes(buffer_).first(t.size)); }

 private:
  static Rng system_rng() {
    Rng::Key key;
    if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) std::abort();
    return Rng(key);
  }
  void send_datagram(ConstBytes bytes) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to_.port);
    address.sin_addr.s_addr = htonl(to_.address.v4_value());
    (void)!sendto(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&address),
                  sizeof address);
  }
  void echo(std::uint8_t type, std::uint16_t sequence) {
    std::array<std::byte, kPacketMax> inner{};
    const std::size_t size = write_echo(type, sequence, inner);
    std::array<std::byte, kPacketMax> out;
    const auto sealed = device_.seal(now(), peer_, ConstBytes(inner).first(size), out);
    if (sealed) send_datagram(Bytes(out).first(*sealed));
  }
  void receive() {
    std::array<std::byte, kPacketMax> packet;
    const ssize_t size = recv(socket_, packet.data(), packet.size(), 0);
    if (size < 0) return;
    const auto opened =
        device_.open(now(), kSocket, to_, Bytes(packet).first(static_cast<std::size_t>(size)));
    if (!opened || opened->plaintext.empty()) return;
    const auto inner = without_padding(opened->plaintext);
    if (!inner || inner->size() < kIpv4Header + 8) return;
    Reader icmp(inner->subspan(kIpv4Header));
    const std::uint8_t type = icmp.u8();
    if (type == kEchoReply) ++replies_;
    if (type != kEchoRequest) return;
    ++requests_;
    answer(*inner);
  }
  // The request itself with both addresses exchanged.
  void answer(Bytes inner) {
    std::swap_ranges(inner.begin() + 12, inner.begin() + 16, inner.begin() + 16);
    const Bytes icmp = inner.subspan(kIpv4Header);
    Writer(icmp).u8(kEchoReply).u8(0).u16be(0);
    Writer(icmp.subspan(2)).u16be(checksum(icmp));
    std::array<std::byte, kPacketMax> out;
    const auto sealed = device_.seal(now(), peer_, inner, out);
    if (sealed) send_datagram(Bytes(out).first(*sealed));
  }
  void pump() {
    drain(device_, now(), *this, [this](const Device::Event& event) {
      const auto* established = std::get_if<SessionEstablished>(&event);
      if (established != nullptr) ++(established->is_initiator ? initiated_ : accepted_);
    });
  }

  Rng rng_ = system_rng();
  Device device_;
  const Endpoint to_;
  PeerHandle peer_;
  int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
  std::array<std::byte, kPacketMax + kDataOverheadBytes> buffer_{};
  std::uint16_t sequence_ = 0;
  int initiated_ = 0, accepted_ = 0, replies_ = 0, requests_ = 0;
};

template <class Key>
std::optional<Key> read_key(const char* file) {
  std::string text;
  std::ifstream(file) >> text;
  const auto bytes = from_base64(text);
  return bytes ? Key::from(*bytes) : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) return 2;
  auto key = read_key<crypto::SessionSecret>(argv[2]);
  const auto theirs = read_key<crypto::SessionPublic>(argv[3]);
  auto psk = read_key<crypto::PresharedKey>(argv[4]);
  const auto to = Endpoint::parse(argv[6]);
  if (!key || !theirs || !psk || !to) return 2;
  Program program(std::move(*key), *theirs, std::move(*psk),
                  static_cast<std::uint16_t>(std::atoi(argv[5])), *to);
  program.run(now() + 1s * std::atoi(argv[7]), std::string_view(argv[1]) == "initiate");
  program.print();
  return 0;
}
