// The threads between real devices and sockets, in namespaces of their own: what a program sends
// into one TUN device comes out of the other one.
#include "runtime/forwarding/forwarding_threads.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <future>
#include <stop_token>
#include <thread>

#include "crypto/testing/allocations.h"
#include "io/clock.h"
#include "io/socket_address.h"
#include "io/test_namespace.h"

namespace ginnel::forwarding {
namespace {

using forward::ForwardingTable;
constexpr int kPatienceMs = 10'000;
constexpr wg::PeerHandle kPeer{1};
const Address kLoopback = Address::v4(127, 0, 0, 1);

Address overlay(int node, bool v4) {
  return v4 ? Address::v4(10, 66, 0, static_cast<std::uint8_t>(node + 1))
            : *Address::parse("fd66::" + std::to_string(node + 1));
}

// Two ends of a session.
std::array<std::unique_ptr<wg::KeyPair>, 2> make_pairs(std::uint32_t generation = 0) {
  Rng rng = Rng::from_seed(generation + 1);
  const auto a = crypto::SymmetricKey::generate(rng);
  const auto b = crypto::SymmetricKey::generate(rng);
  std::array<std::unique_ptr<wg::KeyPair>, 2> out;
  for (std::uint32_t i = 0; i < 2; ++i) {
    const wg::TransportKeys keys{i == 0 ? a.clone() : b.clone(), i == 0 ? b.clone() : a.clone()};
    out[i] = std::make_unique<wg::KeyPair>(
        keys, wg::KeyPair::Init{.peer = kPeer,
                                .local_index = wg::ReceiverIndex(generation * 2 + i),
                                .remote_index = wg::ReceiverIndex(generation * 2 + 1 - i),
                                .is_initiator = i == 0,
                                .created = io::now(),
                                .reject_after_time = 180s,
                                .reject_after_messages = ~std::uint64_t{0} - 8192,
                                .activity = std::make_shared<wg::Activity>()});
  }
  return out;
}

struct Side {
  std::unique_ptr<io::UdpSocket> socket;
  std::unique_ptr<io::Tun> tun;
  std::unique_ptr<ForwardingThreads> threads;
  std::vector<ControlItem> items;

  void poll(int timeout_ms) {
    pollfd ready{threads->fd(), POLLIN, 0};
    if (::poll(&ready, 1, timeout_ms) != 1) return;
    while (auto item = threads->poll()) items.push_back(*item);
  }
  template <class IsIt>
  ControlItem* wait_until(IsIt&& is_it) {
    const Instant end = io::now() + std::chrono::milliseconds(kPatienceMs);
    do {
      for (ControlItem& item : items) {
        if (is_it(item)) return &item;
      }
      poll(kPatienceMs);
    } while (io::now() < end);
    return nullptr;
  }
  ControlItem* wait_for(ControlItem::Kind kind) {
    return wait_until([kind](const ControlItem& item) { return item.kind == kind; });
  }
  std::optional<forward::ToControl> wait_for(forward::ToControl::Kind kind) {
    ControlItem* const item = wait_until([kind](const ControlItem& one) {
      return one.kind == ControlItem::Kind::kReceived && one.told.kind == kind;
    });
    return item ? std::optional(item->received()) : std::nullopt;
  }
};

std::unique_ptr<ForwardingTable> make_table(int node, wg::KeyPair* pair, const Endpoint& to,
                                            std::size_t mtu_bytes = 1392) {
  forward::TableContents contents;
  forward::Destination destination;
  destination.peer = kPeer;
  destination.key_pair = pair;
  destination.to = to;
  destination.mtu_bytes = mtu_bytes;
  contents.destinations = {destination};
  for (const bool v4 : {true, false}) {
    contents.routes.push_back({Prefix::host(overlay(1 - node, v4)), 0});
    contents.own_addresses.push_back(overlay(node, v4));
  }
  forward::Origin origin;
  if (pair != nullptr) {
    origin.key_pair = pair;
    origin.peer = kPeer;
    origin.expected = {kSocket, to};
    origin.ip_allowed = true;
    contents.origins = {origin};
  }
  return std::make_unique<ForwardingTable>(std::move(contents));
}

// Side `node` without tables; the calling thread's namespace gets the TUN device.
void make_tun(Side& side, int node) {
  auto netlink = std::move(io::Netlink::open().value());
  auto tun = io::Tun::open({});
  ASSERT_TRUE(tun) << tun.error().text;
  side.tun = *std::move(tun);
  const auto done = side.tun->configure(
      *netlink, {.mtu_bytes = 1392,
                 .addresses = {{.address = overlay(node, true), .length = 112},
                               {.address = overlay(node, false), .length = 64}}});
  ASSERT_TRUE(done) << done.error().text;
}

void make_socket(Side& side, bool gso) {
  side.socket = std::move(io::UdpSocket::open({.bind = {kLoopback, 0}}).value());
  if (!gso) side.socket->disable_gso();
}

int tcp_socket(bool v4) { return ::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0); }
socklen_t name_of(const Endpoint& endpoint, io::SocketAddress& out) {
  return io::to_socket_address(endpoint, endpoint.address.is_v4() ? AF_INET : AF_INET6, out);
}
std::byte pattern(std::size_t i) { return static_cast<std::byte>(i * 7 + (i >> 11)); }

constexpr std::size_t kStreamBytes = 8 << 20;

// A listener in the namespace it was made in, and one thread that takes one stream.
class Server {
 public:
  explicit Server(const Endpoint& endpoint) : listener_(tcp_socket(endpoint.address.is_v4())) {
    io::SocketAddress name{};
    const socklen_t size = name_of(endpoint, name);
    EXPECT_EQ(::bind(listener_.get(), &name.any, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    // Nobody may come: then the test fails, and does not wait for ever.
    const timeval patience{kPatienceMs / 1000, 0};
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    received_ = std::async(std::launch::async, [this] { return serve(); });
  }
  ~Server() { ::shutdown(listener_.get(), SHUT_RDWR); }  // ends an accept that waits
  // How many right bytes came until the stream ended.
  std::size_t received() { return received_.get(); }

 private:
  std::size_t serve() const {
    const io::Fd stream(::accept(listener_.get(), nullptr, nullptr));
    const timeval patience{kPatienceMs / 1000, 0};
    ::setsockopt(stream.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ByteVector buffer(1 << 16);
    std::size_t right = 0;
    for (;;) {
      const ssize_t got = ::recv(stream.get(), buffer.data(), buffer.size(), 0);
      if (got <= 0) return right;
      for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i, ++right) {
        if (buffer[i] != pattern(right)) return right;
      }
    }
  }

  io::Fd listener_;
  std::future<std::size_t> received_;  // ends before the listener goes
};

void stream_to(
    int node, bool v4, std::uint16_t port,
    const std::function<void(std::size_t)>& sent_so_far = [](std::size_t) {}) {
  const timeval patience{kPatienceMs / 1000, 0};
  io::SocketAddress name{};
  const socklen_t size = name_of({overlay(node, v4), port}, name);
  const io::Fd fd(tcp_socket(v4));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ASSERT_EQ(::connect(fd.get(), &name.any, size), 0) << errno;
  ByteVector bytes(kStreamBytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = pattern(i);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t chunk = std::min<std::size_t>(bytes.size() - at, 1 << 16);
    const ssize_t sent = ::send(fd.get(), bytes.data() + at, chunk, MSG_NOSIGNAL);
    ASSERT_GT(sent, 0) << errno;
    at += static_cast<std::size_t>(sent);
    sent_so_far(at);
  }
}

// Stands on the way between the two sockets and keeps, of each data message, whose index and which
// counter it carries. Made in the namespace of the sockets.
class Tap {
 public:
  using Seen = std::pair<std::uint32_t, std::uint64_t>;  // receiver index, counter

  void start(const std::array<Side, 2>& sides) {
    for (std::size_t i = 0; i < 2; ++i) ends_[i] = sides[i].socket->local();
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  // Where side `i` sends to.
  Endpoint toward(std::size_t i) const { return sockets_[i]->local(); }
  // Every data message that came by, once the tap has ended; sorted.
  std::vector<Seen> finish() {
    thread_.request_stop();
    thread_.join();
    std::sort(seen_.begin(), seen_.end());
    return std::move(seen_);
  }

 private:
  static std::unique_ptr<io::UdpSocket> make() {
    return std::move(io::UdpSocket::open({.bind = {kLoopback, 0}, .gro = false}).value());
  }
  void run(const std::stop_token& stop) {
    io::ReceiveBatch in(64, 2048);
    io::SendBatch out(64);
    std::array<pollfd, 2> ready{{{sockets_[0]->fd(), POLLIN, 0}, {sockets_[1]->fd(), POLLIN, 0}}};
    while (!stop.stop_requested()) {
      ::poll(ready.data(), ready.size(), 20);
      for (std::size_t i = 0; i < 2; ++i) {
        for (const io::Received& one : sockets_[i]->receive(in)) {
          const auto header = wg::DataHeader::parse(one.bytes);
          if (header) seen_.emplace_back(header->receiver.value(), header->counter);
          out.add({.to = ends_[1 - i], .bytes = one.bytes});
        }
        sockets_[1 - i]->send(out);
        out.clear();  // a full socket loses it, as any network may
      }
    }
  }

  std::array<std::unique_ptr<io::UdpSocket>, 2> sockets_ = {make(), make()};
  std::array<Endpoint, 2> ends_;
  std::vector<Seen> seen_;
  std::jthread thread_;
};

// Node 0 has a device and two listeners in one namespace, node 1 a device in another, where `body`
// runs; the sockets of both are on the loopback device of the first.
struct World {
  std::array<Side, 2> sides;
  std::unique_ptr<Server> v4;
  std::unique_ptr<Server> v6;
  std::unique_ptr<Tap> tap;  // between the sockets, if there is one

  // Where side `i` sends to.
  Endpoint other_end(std::size_t i) const {
    return tap ? tap->toward(i) : sides[1 - i].socket->local();
  }
  // Tables under these pairs; null: none yet.
  void publish(const std::array<std::unique_ptr<wg::KeyPair>, 2>& pairs) {
    for (int i = 0; i < 2; ++i) {
      sides[i].threads->publish(make_table(i, pairs[i].get(), sides[1 - i].socket->local()));
    }
  }
};

constexpr std::uint16_t kPort = 7;

struct WorldOptions {
  bool gso = true;
  std::uint32_t outer_mtu_bytes = 65'536;  // of the way between the two sockets
  bool tap = false;
};

template <class Body>
std::string in_world(const WorldOptions& options, Body&& body) {
  return io::in_namespace([&] {
    auto netlink = std::move(io::Netlink::open().value());
    const io::LinkChange loopback{.mtu_bytes = options.outer_mtu_bytes, .up = true};
    ASSERT_TRUE(netlink->set_link(io::InterfaceIndex(1), loopback));
    World world;
    for (Side& side : world.sides) make_socket(side, options.gso);
    if (options.tap) {
      world.tap = std::make_unique<Tap>();
      world.tap->start(world.sides);
    }
    make_tun(world.sides[0], 0);
    world.v4 = std::make_unique<Server>(Endpoint{overlay(0, true), kPort});
    world.v6 = std::make_unique<Server>(Endpoint{overlay(0, false), kPort});
    const std::string why = io::in_namespace([&] {
      make_tun(world.sides[1], 1);
      for (Side& side : world.sides) {
        side.threads =
            std::move(ForwardingThreads::start(*side.socket, side.tun.get(), {}).value());
      }
      body(world);
      for (Side& side : world.sides) side.threads.reset();
    });
    EXPECT_EQ(why, "");
  });
}

#define IN_WORLD(options, ...)                                                                   \
  do {                                                                                           \
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no access to /dev/net/tun"; \
    const std::string why_not = in_world(options, [&](World & world) __VA_ARGS__);               \
    if (!why_not.empty()) GTEST_SKIP() << why_not;                                               \
  } while (false)

void stream_both_families(World& world) {
  stream_to(0, true, kPort);
  EXPECT_EQ(world.v4->received(), kStreamBytes);
  stream_to(0, false, kPort);
  EXPECT_EQ(world.v6->received(), kStreamBytes);
}

TEST(ForwardingThreads, CarryTcpOfBothFamilies) {
  IN_WORLD({}, {
    const auto pairs = make_pairs();
    world.publish(pairs);
    stream_both_families(world);
    for (Side& side : world.sides) {
      const ForwardingCounters counters = side.threads->counters();
      EXPECT_EQ(counters.unwritten, 0u);
      EXPECT_EQ(counters.unsent, 0u);
      EXPECT_EQ(counters.drops[static_cast<std::size_t>(forward::Drop::kNotAuthentic)], 0u);
      side.threads->stop();
    }
  });
}

TEST(ForwardingThreads, CarryTcpWhereTheSocketCannotSegment) {
  IN_WORLD({.gso = false}, {
    const auto pairs = make_pairs();
    world.publish(pairs);
    stream_both_families(world);
    for (Side& side : world.sides) side.threads->stop();
  });
}

// Sends with the last of `generations`, receives with all of them.
std::unique_ptr<ForwardingTable> make_table_of_many(
    int node, const std::deque<std::array<std::unique_ptr<wg::KeyPair>, 2>>& generations,
    std::size_t sending, const Endpoint& to) {
  forward::TableContents contents;
  forward::Destination& destination = contents.destinations.emplace_back();
  destination.peer = kPeer;
  destination.key_pair = generations[sending][node].get();
  destination.to = to;
  contents.routes = {{Prefix::host(overlay(1 - node, true)), 0}};
  for (const auto& pairs : generations) {
    forward::Origin& origin = contents.origins.emplace_back();
    origin.key_pair = pairs[node].get();
    origin.peer = kPeer;
    origin.expected = {kSocket, to};
    origin.ip_allowed = true;
  }
  return std::make_unique<ForwardingTable>(std::move(contents));
}

// As in WireGuard: both know the new pair before either sends with it, and the old ones stay for
// what is still on the way.
TEST(ForwardingThreads, NewKeyPairsAndTablesBreakNoStream) {
  IN_WORLD({}, {
    constexpr std::uint32_t kGenerations = 16;
    constexpr std::size_t kKept = 3;
    std::deque<std::array<std::unique_ptr<wg::KeyPair>, 2>> generations;
    generations.push_back(make_pairs());
    const auto publish = [&](std::size_t sending) {
      for (int i = 0; i < 2; ++i) {
        const Endpoint to = world.sides[1 - i].socket->local();
        world.sides[i].threads->publish(make_table_of_many(i, generations, sending, to));
      }
    };
    publish(0);
    const auto rotate = [&](std::uint32_t generation) {
      generations.push_back(make_pairs(generation));
      publish(generations.size() - 2);
      publish(generations.size() - 1);
      if (generations.size() <= kKept) return;
      auto old = std::move(generations.front());
      generations.pop_front();
      publish(generations.size() - 1);
      for (int i = 0; i < 2; ++i) world.sides[i].threads->retire(std::move(old[i]));
    };
    std::uint32_t generation = 0;
    stream_to(0, true, kPort, [&](std::size_t sent) {
      if (sent > kStreamBytes / kGenerations * (generation + 1)) rotate(++generation);
    });
    EXPECT_EQ(world.v4->received(), kStreamBytes);
    EXPECT_GT(generations.back()[0]->local_index().value(), kGenerations);
    for (Side& side : world.sides) {
      side.threads->stop();
      EXPECT_EQ(side.threads->collect(), 0u);
    }
  });
}

// What control does for both sides: a new pair each second, as in
// NewKeyPairsAndTablesBreakNoStream, and in between frames of its own under the pair that the
// forwarding threads send with.
class Control {
 public:
  explicit Control(World& world) : world_(world) {
    generations_.push_back(make_pairs());
    publish(0);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  std::uint32_t finish() {
    thread_.request_stop();
    thread_.join();
    return generation_;
  }

 private:
  static constexpr std::size_t kKept = 3;

  void run(const std::stop_token& stop) {
    Instant next = io::now() + 1s;
    while (!stop.stop_requested()) {
      for (std::size_t i = 0; i < 2; ++i) say(i);
      std::this_thread::sleep_for(200us);
      for (Side& side : world_.sides) side.poll(0);
      if (io::now() < next) continue;
      next = io::now() + 1s;
      rotate();
    }
  }
  void say(std::size_t i) {
    wg::KeyPair& pair = *generations_.back()[i];
    const ByteVector frame = *from_hex("08010055");
    std::array<std::byte, 64> out{};
    const std::size_t size = pair.seal(wg::Sender::kControl, *pair.reserve(1), frame, out);
    io::SendBatch batch(1);
    batch.add({.to = world_.other_end(i), .bytes = ConstBytes(out).first(size)});
    world_.sides[i].socket->send(batch);
  }
  void rotate() {
    generations_.push_back(make_pairs(++generation_));
    publish(generations_.size() - 2);
    publish(generations_.size() - 1);
    if (generations_.size() <= kKept) return;
    auto old = std::move(generations_.front());
    generations_.pop_front();
    publish(generations_.size() - 1);
    for (std::size_t i = 0; i < 2; ++i) world_.sides[i].threads->retire(std::move(old[i]));
  }
  void publish(std::size_t sending) {
    for (int i = 0; i < 2; ++i) {
      const Endpoint to = world_.other_end(static_cast<std::size_t>(i));
      world_.sides[i].threads->publish(make_table_of_many(i, generations_, sending, to));
    }
  }

  World& world_;
  std::deque<std::array<std::unique_ptr<wg::KeyPair>, 2>> generations_;
  std::uint32_t generation_ = 0;
  std::jthread thread_;
};

// WireGuard section 5.4.6: a counter is used once under a key, whoever of control and the
// forwarding threads takes it. (The preset tsan says that they take it without a race.)
TEST(ForwardingThreads, NoKeyAndCounterIsEverUsedTwiceThroughARekeyEachSecond) {
  constexpr auto kStreamTime = 4500ms;
  IN_WORLD({.tap = true}, {
    Control control(world);
    stream_to(0, true, kPort, [&](std::size_t) {
      std::this_thread::sleep_for(kStreamTime / (kStreamBytes >> 16));
    });
    EXPECT_EQ(world.v4->received(), kStreamBytes);
    EXPECT_GE(control.finish(), 3u);
    for (Side& side : world.sides) side.threads->stop();
    const std::vector<Tap::Seen> seen = world.tap->finish();
    EXPECT_GT(seen.size(), kStreamBytes / 1392);
    const auto twice = std::ranges::adjacent_find(seen);
    EXPECT_TRUE(twice == seen.end()) << "index " << twice->first << " counter " << twice->second;
  });
}

// The hot path allocates nothing: between real sockets and devices, while 4 MiB pass.
TEST(ForwardingThreads, AllocateNothingWhilePacketsPass) {
  if (!ginnel::testing::allocations_are_counted()) GTEST_SKIP() << "a sanitizer has its own malloc";
  IN_WORLD({}, {
    const auto pairs = make_pairs();
    world.publish(pairs);
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    stream_to(0, true, kPort, [&](std::size_t sent) {
      if (before == 0 && sent >= kStreamBytes / 2) before = ginnel::testing::allocations();
      after = ginnel::testing::allocations();
    });
    EXPECT_EQ(world.v4->received(), kStreamBytes);
    EXPECT_GT(before, 0u);
    EXPECT_EQ(after - before, 0u);
    for (Side& side : world.sides) side.threads->stop();
  });
}

TEST(ForwardingThreads, APacketForAPeerWithoutAKeyPairGoesToControl) {
  IN_WORLD({}, {
    world.publish({});
    const io::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    io::SocketAddress name{};
    const socklen_t size = name_of({overlay(0, true), 9}, name);
    ASSERT_EQ(::sendto(fd.get(), "hello", 5, 0, &name.any, size), 5);
    const ControlItem* item = world.sides[1].wait_for(ControlItem::Kind::kTunPacket);
    ASSERT_NE(item, nullptr);
    ControlItem copy = *item;
    const auto ip = forward::IpPacket::parse(copy.bytes());
    ASSERT_TRUE(ip);
    EXPECT_EQ(ip->destination, overlay(0, true));
    EXPECT_EQ(text_of(copy.bytes().last(5)), "hello");
  });
}

TEST(ForwardingThreads, APacketForNobodyIsAnsweredUnreachable) {
  IN_WORLD({}, {
    world.publish({});
    const io::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int on = 1;  // ip(7): without it UDP hears of no transient error
    ASSERT_EQ(::setsockopt(fd.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    io::SocketAddress name{};
    const socklen_t size = name_of({Address::v4(10, 66, 7, 7), 9}, name);
    ASSERT_EQ(::connect(fd.get(), &name.any, size), 0);
    ASSERT_EQ(::send(fd.get(), "hello", 5, 0), 5);
    pollfd ready{fd.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, kPatienceMs), 1);
    EXPECT_EQ(::recv(fd.get(), &name, sizeof name, 0), -1);
    EXPECT_EQ(errno, EHOSTUNREACH);
  });
}

// One destination at overlay(0), and one at `more`, if there is one, whose packets `traffic`
// counts.
std::unique_ptr<ForwardingTable> make_table_with(wg::KeyPair* pair, const Endpoint& to,
                                                 const std::optional<Address>& more,
                                                 std::shared_ptr<forward::Traffic> traffic) {
  forward::TableContents contents;
  contents.destinations.resize(2);
  for (forward::Destination& destination : contents.destinations) {
    destination.key_pair = pair;
    destination.to = to;
  }
  contents.destinations[1].traffic = std::move(traffic);
  contents.routes.push_back({Prefix::host(overlay(0, true)), 0});
  if (more) contents.routes.push_back({Prefix::host(*more), 1});
  return std::make_unique<ForwardingTable>(std::move(contents));
}

// A user is told that a peer is there when the table is out: what it then sends is not answered out
// of the table before, whatever the thread is in the middle of.
TEST(ForwardingThreads, APacketBehindAPublicationIsNotAnsweredByTheTableBefore) {
  IN_WORLD({}, {
    const auto pairs = make_pairs();
    const Endpoint to = world.sides[0].socket->local();
    const Address newcomer = Address::v4(10, 66, 7, 7);
    const auto traffic = std::make_shared<forward::Traffic>();
    ForwardingThreads& threads = *world.sides[1].threads;
    const auto publish = [&](const std::optional<Address>& more) {
      threads.publish(make_table_with(pairs[1].get(), to, more, traffic));
    };
    publish({});
    const std::jthread busy([](const std::stop_token& stop) {
      const io::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      io::SocketAddress name{};
      const socklen_t size = name_of({overlay(0, true), 9}, name);
      while (!stop.stop_requested()) ::sendto(fd.get(), "noise", 5, 0, &name.any, size);
    });
    const io::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ASSERT_EQ(::setsockopt(fd.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    io::SocketAddress name{};
    const socklen_t size = name_of({newcomer, 9}, name);
    for (int i = 0; i < 150; ++i) {
      publish({});
      std::this_thread::sleep_for(100us);  // a batch begins with that table
      publish(newcomer);
      const std::uint64_t before = traffic->sent_packets;
      std::uint64_t all = before;
      while (traffic->sent_packets == before) {
        // Again: a device that is busy loses some.
        ASSERT_EQ(::sendto(fd.get(), "hello", 5, 0, &name.any, size), 5) << i << ": " << errno;
        ++all;
        pollfd ready{fd.get(), 0, 0};
        ::poll(&ready, 1, 1);
        ASSERT_EQ(ready.revents & POLLERR, 0) << i;
      }
      // The others are out, or lost, before the newcomer is gone again.
      for (int ms = 0; ms < 20 && traffic->sent_packets < all; ++ms) {
        std::this_thread::sleep_for(1ms);
      }
    }
    threads.stop();
  });
}

// docs/design.md section 3, "MTU": EMSGSIZE lowers a path, so control must hear of it.
TEST(ForwardingThreads, ADatagramThatIsTooBigForTheWayIsReported) {
  IN_WORLD({.outer_mtu_bytes = 1400}, {
    const auto pairs = make_pairs();
    world.publish(pairs);
    const io::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    io::SocketAddress name{};
    const socklen_t size = name_of({overlay(0, true), 9}, name);
    const ByteVector payload(1392 - 28);
    ASSERT_EQ(::sendto(fd.get(), payload.data(), payload.size(), 0, &name.any, size), 1364);
    const ControlItem* item = world.sides[1].wait_for(ControlItem::Kind::kSendFailed);
    ASSERT_NE(item, nullptr);
    EXPECT_EQ(item->failure.why, io::SendError::kTooBig);
    EXPECT_EQ(item->failure.datagram_bytes, 1392 + wg::kDataOverheadBytes);
    EXPECT_EQ(item->failure.to, world.sides[0].socket->local());
    for (Side& side : world.sides) side.threads->stop();
  });
}

// --- without a device

struct ReceiveOnly : ::testing::Test {
  void SetUp() override {
    make_socket(side, true);
    side.threads = std::move(ForwardingThreads::start(*side.socket, nullptr, {}).value());
    peer = std::move(io::UdpSocket::open({.bind = {kLoopback, 0}}).value());
  }
  void send(ConstBytes bytes) {
    io::SendBatch batch(1);
    batch.add({.to = side.socket->local(), .bytes = bytes});
    ASSERT_EQ(peer->send(batch).messages, 1u);
  }
  ByteVector sealed(wg::KeyPair& pair, ConstBytes plaintext) {
    ByteVector out(plaintext.size() + wg::kDataOverheadBytes);
    pair.seal(wg::Sender::kControl, *pair.reserve(1), plaintext, out);
    return out;
  }
  Side side;
  std::unique_ptr<io::UdpSocket> peer;
};

TEST_F(ReceiveOnly, HandshakesReachControl) {
  const ByteVector initiation = *from_hex("01000000aabb");
  send(initiation);
  const auto told = side.wait_for(forward::ToControl::Kind::kDatagram);
  ASSERT_TRUE(told);
  EXPECT_TRUE(equal(told->bytes, initiation));
  EXPECT_EQ(told->from, (wg::Route{kSocket, peer->local()}));
  EXPECT_EQ(told->local, kLoopback);
}

// A pair's first packets may come before its table: none is lost, and one thread opens all.
TEST_F(ReceiveOnly, WhatCameBeforeItsTableIsOpenedWhenItIsGivenBack) {
  const auto pairs = make_pairs();
  send(sealed(*pairs[0], *from_hex("08010055")));
  using What = forward::ToControl::Kind;
  const auto unknown = side.wait_for(What::kUnknownIndex);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->index, pairs[1]->local_index());
  side.threads->publish(make_table(1, pairs[1].get(), peer->local()));
  ASSERT_TRUE(side.threads->inject(*unknown));
  const auto frames = side.wait_for(What::kFrames);
  ASSERT_TRUE(frames);
  EXPECT_EQ(to_hex(frames->bytes), "08010055");
  const auto facts = side.wait_for(What::kFacts);
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->confirmed);
  side.threads->stop();
}

TEST_F(ReceiveOnly, AFullQueueIsCounted) {
  const ByteVector datagram = *from_hex("01000000");
  for (int i = 0; i < 3000; ++i) send(datagram);
  const Instant end = io::now() + std::chrono::milliseconds(kPatienceMs);
  while (side.threads->counters().items_dropped == 0 && io::now() < end) std::this_thread::yield();
  EXPECT_GT(side.threads->counters().items_dropped, 0u);
}

}  // namespace
}  // namespace ginnel::forwarding
