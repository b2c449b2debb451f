#include "runtime/gossip/engine.h"

#include "base/drain.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "runtime/gossip/datagram_streams.h"
#include "runtime/gossip/udp_datagrams.h"

namespace ginnel::gossip {
namespace {

// memberlist asks for 2 MiB ("udpRecvBufSize").
constexpr int kSocketBufferBytes = 2 << 20;
// A bounded number of streams a turn, so that a flood does not starve timers.
constexpr int kAcceptsPerTurn = 64;
// Port 0: the kernel chooses UDP's port, and TCP's may be taken already.
constexpr int kPortTries = 16;
// Without descriptors the listener stays ready: it is left alone for so long, else the loop spins.
// (memberlist backs off from 5 ms to 1 s.)
constexpr Nanoseconds kAcceptPause = 100ms;

// A member has no configuration file that the port would stand in.
Error with_own_hint(Error error) {
  if (error.code == Errc::kPortBusy) {
    error.hint = "stop that program, or choose another address or port with --bind";
  }
  return error;
}

}  // namespace

Engine::Engine(swim::AgentConfig config, const Endpoint& bind, Carrier carrier)
    : config_(std::move(config)), bind_(bind), carrier_(carrier) {}

Engine::~Engine() = default;

// The listener, and a UDP socket on the same port; none where TCP carries all.
Result<std::unique_ptr<io::UdpSocket>, Error> Engine::open_sockets() {
  const io::UdpOptions options{
      .bind = bind_, .buffer_bytes = kSocketBufferBytes, .gro = false, .fragment = true};
  for (int tries = 1;; ++tries) {
    std::unique_ptr<io::UdpSocket> udp;
    Endpoint bind = bind_;
    if (carrier_ == Carrier::kUdp) {
      auto opened = io::UdpSocket::open(options);
      if (!opened) return Fail(with_own_hint(opened.error()));
      udp = *std::move(opened);
      bind.port = udp->local().port;
    }
    auto tcp = io::TcpListener::open(bind);
    if (!tcp && (bind_.port != 0 || tries == kPortTries)) {
      return Fail(with_own_hint(tcp.error()));
    }
    if (!tcp) continue;
    tcp_ = *std::move(tcp);
    return udp;
  }
}

Result<void, Error> Engine::open() {
  auto loop = io::EventLoop::make();
  if (!loop) return Fail(loop.error());
  loop_ = *std::move(loop);
  auto udp = open_sockets();
  if (!udp) return Fail(udp.error());
  Endpoint& advertise = config_.swim.advertise;
  if (advertise.address.is_unspecified()) advertise.address = local().address;
  if (advertise.port == 0) advertise.port = local().port;
  if (auto done = open_agent(); !done) return done;
  open_streams();
  alarm_ = loop_->add_alarm([this] { agent_->handle_timeout(io::now()); });
  accept_again_ = loop_->add_alarm([this] { loop_->set_interest(tcp_->fd(), {.read = true}); });
  loop_->after_round([this] { pump(); });
  if (auto done = open_carrier(*std::move(udp)); !done) return done;
  return loop_->watch(tcp_->fd(), {.read = true}, [this](io::Ready) { accept(); });
}

Result<void, Error> Engine::open_agent() {
  const auto key = io::entropy();
  if (!key) return Fail(key.error());
  agent_ = std::make_unique<swim::Agent>(config_, Rng(*key));
  for (crypto::AesKey& ring_key : keys_) (void)agent_->keys().install(std::move(ring_key));
  keys_.clear();
  return {};
}

void Engine::open_streams() {
  streams_ = std::make_unique<StreamTable>(
      *loop_, StreamTable::Handlers{[this](swim::StreamId id, ConstBytes bytes) {
                                      agent_->handle_stream_data(io::now(), id, bytes);
                                      pump();
                                    },
                                    [this](swim::StreamId id, swim::StreamEnd end) {
                                      agent_->handle_stream_closed(io::now(), id, end);
                                      pump();
                                    }});
}

Result<void, Error> Engine::open_carrier(std::unique_ptr<io::UdpSocket> udp) {
  Datagrams::Handlers handlers{
      .on_datagram =
          [this](const Endpoint& from, Bytes datagram) {
            agent_->handle_datagram(io::now(), kSocket, from, datagram);
            pump();
          },
      .on_stream = [this](io::TcpStream stream,
                          ConstBytes first) { accept(std::move(stream), first); }};
  if (!udp) {
    datagrams_ = std::make_unique<DatagramStreams>(*loop_, config_.swim.advertise.port,
                                                   std::move(handlers));
    return {};
  }
  auto over_udp = std::make_unique<UdpDatagrams>(*loop_, std::move(udp), std::move(handlers));
  auto watched = over_udp->watch();
  datagrams_ = std::move(over_udp);
  return watched;
}

void Engine::start() {
  agent_->set_clock(io::now(), io::wall());
  agent_->start(io::now());
  pump();
}

void Engine::accept() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    auto stream = tcp_->accept();
    if (!stream && stream.error() == io::TcpListener::Refusal::kExhausted) return pause_accepting();
    if (!stream) return;
    datagrams_->accepted(*std::move(stream));
  }
}

// One of memberlist's. `first`: what has been read of it.
void Engine::accept(io::TcpStream stream, ConstBytes first) {
  const auto id = agent_->accept_stream(io::now(), stream.peer());
  if (!id) return;
  streams_->accepted(*id, std::move(stream));
  if (first.empty()) return;
  agent_->handle_stream_data(io::now(), *id, first);
  pump();
}

void Engine::pause_accepting() {
  loop_->set_interest(tcp_->fd(), {});
  loop_->set(accept_again_, io::now() + kAcceptPause);
}

void Engine::pump() {
  if (std::exchange(pumping_, true)) return;  // a handler may call again; the loop below goes on
  const Instant now = io::now();
  agent_->set_clock(now, io::wall());
  std::optional<Instant> next;
  for (bool more = true; more;) {
    more = false;
    next = drain(*agent_, now, *datagrams_, [&](const swim::AgentEvent& event) {
      handle(event);
      more = true;
    });
  }
  datagrams_->flush();
  loop_->set(alarm_, next);
  pumping_ = false;
}

void Engine::handle(const swim::AgentEvent& event) {
  const auto* swim_event = std::get_if<swim::Event>(&event);
  if (swim_event != nullptr && handle_stream_event(*swim_event)) return;
  if (handler_) handler_(event);
}

bool Engine::handle_stream_event(const swim::Event& event) {
  if (const auto* open = std::get_if<swim::StreamOpen>(&event)) {
    if (!streams_->open(open->stream, open->to)) {
      agent_->handle_stream_closed(io::now(), open->stream, swim::StreamEnd::kFailed);
    }
    return true;
  }
  if (const auto* write = std::get_if<swim::StreamWrite>(&event)) {
    streams_->write(write->stream, write->bytes);
    return true;
  }
  if (const auto* close = std::get_if<swim::StreamClose>(&event)) {
    streams_->close(close->stream);
    return true;
  }
  return false;
}

}  // namespace ginnel::gossip
