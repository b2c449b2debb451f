// Floods a hub and a peer, both real daemons on this machine, with hostile datagrams. hostile.py
// starts them, watches them, and judges what this prints.
//
//   1. joins the hub with --token, as the insider that will attack it
//   2. makes a network of its own and prints a token for it; the peer that redeems it is the victim
//   3. reads the two process ids from its input, once the victim is attached
//   4. floods both; from then on our hub is an insider too
//
// Output: `token T`, `attached`, `at N` now and then, and last one line of JSON.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <thread>

#include "base/drain.h"
#include "base/reader.h"
#include "gauge.h"
#include "insider.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/udp_socket.h"
#include "node/founder.h"
#include "node/node.h"
#include "outsider.h"
#include "runtime/outbox.h"
#include "runtime/redeem.h"

namespace ginnel::hostile {
namespace {

constexpr std::uint64_t kInsidersPart = 4;  // one of so many datagrams is sealed by the insider
constexpr std::size_t kBatch = 32;  // datagrams of one socket a round
constexpr std::uint64_t kQueuedMax = 48 * 1024;  // in the target's socket, before we go on
constexpr Nanoseconds kStuck = 20s;
constexpr std::size_t kSlotBytes = 2200;
const Address kHere = Address::v4(127, 0, 0, 1);

struct Options {
  std::string corpora, token_file;
  std::uint64_t datagrams = 200'000;
  std::uint64_t seed = 1;
};

[[noreturn]] void die(const std::string& why) {
  std::cerr << "hostile: " << why << '\n';
  std::exit(2);
}

template <class T>
T must(Result<T, Error> made) {
  if (!made) die(made.error().text);
  return *std::move(made);
}

// A socket of ours and what it sends in one call.
class Lane {
 public:
  explicit Lane(std::unique_ptr<io::UdpSocket> socket) : socket_(std::move(socket)) {}
  Lane() : Lane(must(io::UdpSocket::open({.bind = {kHere, 0}, .gro = false}))) {}

  Bytes slot() { return Bytes(memory_).subspan(used_ * kSlotBytes, kSlotBytes); }
  bool has_room() const { return used_ < kSlots; }
  void add(const Endpoint& to, std::size_t size) {
    batch_.add({.to = to, .bytes = slot().first(size)});
    ++used_;
  }
  std::size_t flush() {
    while (!batch_.empty() && socket_->send(batch_).would_block) std::this_thread::yield();
    return std::exchange(used_, 0);
  }
  template <class Take>
  void receive(Take&& take) {
    for (;;) {
      const auto received = socket_->receive(in_);
      if (received.empty()) return;
      for (const io::Received& one : received) take(one);
    }
  }
  io::UdpSocket& socket() { return *socket_; }

 private:
  static constexpr std::size_t kSlots = 2 * kBatch;
  std::unique_ptr<io::UdpSocket> socket_;
  ByteVector memory_ = ByteVector(kSlots * kSlotBytes);
  std::size_t used_ = 0;
  io::SendBatch batch_{kSlots};
  io::ReceiveBatch in_{32, 4096};
};

// A daemon under attack, and its insider.
struct Front {
  std::string name;
  Endpoint at;
  crypto::SessionPublic key;
  std::unique_ptr<Lane> lane;  // the insider's
  std::unique_ptr<Insider> insider;
  pid_t process = 0;
  std::uint64_t warm_bytes = 0;
  std::uint64_t sent = 0;
};

// --- 1: into the hub's network

Front infiltrate(const Options& options, Seeds& seeds, Rng& rng) {
  std::ifstream in(options.token_file);
  std::string text;
  std::getline(in, text);
  const auto token = control::parse_token(text);
  if (!token) die("no token in " + options.token_file);
  node::OwnIdentity own = node::make_identity(Role::kPeer, token->network, rng);
  const auto joined = must(runtime::redeem_token({.token = *token,
                                                  .identity = own.identity,
                                                  .session = own.session,
                                                  .name = "insider",
                                                  .own_endpoints = {}}));
  own.chain = joined.chain;
  Front front{.name = "hub",
              .at = *Endpoint::parse(token->hubs.front().endpoints.front()),
              .key = token->hubs.front().session,
              .lane = std::make_unique<Lane>(),
              .insider = nullptr};
  front.insider = std::make_unique<Insider>(
      Insider::Options{std::move(own), front.key, front.at, &seeds}, rng.fork("peer"));
  return front;
}

// --- 2: a network of our own

// Where the first peer is attached, and its key, as the hub stores it (Node::store_peers).
struct Attached {
  crypto::SessionPublic key;
  Endpoint at;
};
std::optional<Attached> first_of(ConstBytes stored) {
  Reader r(stored);
  (void)r.u8();
  const auto key = crypto::SessionPublic::from(r.take(crypto::kKeyBytes));
  const Address address{r.array<16>()};
  const std::uint16_t port = r.u16be();
  if (!r.ok() || !key) return std::nullopt;
  return Attached{*key, {address, port}};
}

Attached lure(const node::OwnIdentity& own, io::UdpSocket& socket, Rng& rng) {
  node::Config config;
  config.network_name = "lure";
  config.overlay_v4 = *Prefix::parse("10.67.0.0/16");
  config.hub = node::HubConfig{.public_endpoint = socket.local(), .probe_port = 0};
  node::Node hub(std::move(config), own.clone(), {}, 1, rng.fork("hub"), io::now(), io::wall());
  std::cout << "token " << must(hub.invite(io::now(), {})) << std::endl;
  runtime::SocketOutbox outbox(socket, nullptr);
  io::ReceiveBatch batch(16, 4096);
  std::optional<Attached> out;
  const Instant end = io::now() + 60s;
  while (!out && io::now() < end) {
    for (const io::Received& one : socket.receive(batch)) {
      hub.handle_datagram(io::now(), kSocket, one.from, one.bytes);
    }
    const auto due = hub.next_timeout();
    if (due && *due <= io::now()) hub.handle_timeout(io::now());
    drain(hub, io::now(), outbox, [&](node::Event event) {
      const auto* request = std::get_if<node::StoreRequest>(&event);
      if (!request) return;
      hub.handle_stored(request->ticket);
      if (request->name == "peers") out = first_of(request->bytes);
    });
    outbox.flush();
    std::this_thread::sleep_for(1ms);
  }
  if (!out) die("no victim came");
  return *out;
}

Front set_trap(Seeds& seeds, Rng& rng) {
  node::OwnIdentity own = *node::found_network(
      {"lure", *Prefix::parse("10.67.0.0/16")}, rng, io::wall());
  Front front{.name = "peer", .at = {}, .key = {}, .lane = std::make_unique<Lane>(),
              .insider = nullptr};
  const Attached victim = lure(own, front.lane->socket(), rng);
  front.at = victim.at;
  front.key = victim.key;
  front.insider = std::make_unique<Insider>(
      Insider::Options{std::move(own), victim.key, victim.at, &seeds}, rng.fork("hub insider"));
  return front;
}

// --- 4: the flood

class Flood {
 public:
  Flood(const Options& options, Seeds& seeds, std::vector<Front> fronts, Rng& rng)
      : options_(options),
        fronts_(std::move(fronts)),
        outsider_(seeds, rng.fork("outsider")),
        stranger_(rng.fork("stranger")),
        rng_(rng.fork("flood")) {}

  void run() {
    const std::uint64_t warm = options_.datagrams / 5;
    std::uint64_t told = 0;
    bool is_warm = false;
    while (sent_ < options_.datagrams) {
      for (Front& front : fronts_) round(front);
      if (!is_warm && sent_ >= warm) {
        is_warm = true;
        for (Front& front : fronts_) front.warm_bytes = resident_bytes(front.process);
      }
      if (sent_ - told < options_.datagrams / 40) continue;
      told = sent_;
      std::cout << "at " << sent_ << std::endl;
    }
    report();
  }

 private:
  void round(Front& front) {
    const Instant now = io::now();
    // Demanded cookies keep the insider out for a while: the outsider waits for it, or most of a fast
    // flood would be from outside.
    const bool waits = front.insider->counts().attacks * kInsidersPart < front.sent;
    for (std::size_t i = 0; i < (waits ? 1 : kBatch); ++i) {
      outside_.add(front.at, outsider_.write(now, front.key, outside_.slot()));
    }
    if (rng_.chance(0.05)) {
      strange_.add(front.at, stranger_.write(now, io::wall(), front.key, strange_.slot()));
    }
    for (std::size_t i = 0; i < kBatch && front.lane->has_room(); ++i) {
      const auto size = front.insider->poll_transmit(now, front.lane->slot());
      if (!size) break;
      front.lane->add(front.at, *size);
    }
    while (front.insider->is_in() && front.lane->has_room()) {
      const std::size_t size = front.insider->attack(now, front.lane->slot());
      if (size == 0) break;
      front.lane->add(front.at, size);
    }
    for (Lane* lane : {&outside_, &strange_, front.lane.get()}) {
      const std::size_t n = lane->flush();
      sent_ += n;
      front.sent += n;
    }
    listen();
    wait_for(front);
  }

  void listen() {
    for (Front& front : fronts_) {
      front.lane->receive([&](const io::Received& one) {
        if (one.from == front.at) front.insider->handle_datagram(io::now(), one.bytes);
      });
    }
    outside_.receive([&](const io::Received& one) { outsider_.judge(one.bytes); });
    strange_.receive([](const io::Received&) {});
  }

  // At the rate that it can take: nothing is gained by what the kernel drops.
  void wait_for(Front& front) {
    const Instant start = io::now();
    for (;;) {
      const auto state = socket_state(front.at.port);
      if (!state) die("the " + front.name + " has closed its socket");
      if (state->queued_bytes <= kQueuedMax) return;
      if (io::now() - start > kStuck) die("the " + front.name + " reads no more");
      std::this_thread::sleep_for(100us);
      listen();
    }
  }

  void report() {
    std::this_thread::sleep_for(200ms);
    listen();
    const auto& outside = outsider_.counts();
    std::printf("{\"sent\": %lu, \"random\": %lu, \"mutated\": %lu, \"stun\": %lu, "
                "\"cookies\": %lu, \"responses\": %lu, \"wrong\": %lu",
                sent_, outside.random, outside.mutated, outside.stun, outside.cookies,
                outside.responses, outside.wrong);
    for (Front& front : fronts_) {
      const auto& inside = front.insider->counts();
      const auto state = socket_state(front.at.port);
      std::printf(", \"%s\": {\"sent\": %lu, \"dropped\": %lu, \"warm_bytes\": %lu, "
                  "\"end_bytes\": %lu, \"insider_lives\": %lu, \"insider_attacks\": %lu, "
                  "\"insider_pings\": %lu}",
                  front.name.c_str(), front.sent, state ? state->dropped : 0, front.warm_bytes,
                  resident_bytes(front.process), inside.lives, inside.attacks, inside.answered);
    }
    std::printf("}\n");
  }

  const Options& options_;
  std::vector<Front> fronts_;
  Outsider outsider_;
  Stranger stranger_;
  Rng rng_;
  Lane outside_, strange_;
  std::uint64_t sent_ = 0;
};

Options parse(int argc, char** argv) {
  Options out;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--corpora") out.corpora = argv[i + 1];
    else if (name == "--token") out.token_file = argv[i + 1];
    else if (name == "--datagrams") out.datagrams = std::stoull(argv[i + 1]);
    else if (name == "--seed") out.seed = std::stoull(argv[i + 1]);
    else die("no such option: " + name);
  }
  return out;
}

}  // namespace
}  // namespace ginnel::hostile

int main(int argc, char** argv) {
  using namespace ginnel;
  using namespace ginnel::hostile;
  const Options options = parse(argc, argv);
  // The identities are new each time, so that a daemon of an earlier run cannot know them; what is
  // sent follows the seed.
  Rng rng = Rng::from_seed(options.seed);
  Rng keys(*io::entropy());
  Seeds seeds(rng.fork("seeds"));
  if (!seeds.load(options.corpora)) die("no corpora in " + options.corpora);
  std::vector<Front> fronts;
  fronts.push_back(infiltrate(options, seeds, keys));
  fronts.push_back(set_trap(seeds, keys));
  std::cout << "attached" << std::endl;
  for (Front& front : fronts) std::cin >> front.process;
  Flood(options, seeds, std::move(fronts), rng).run();
  return 0;
}
