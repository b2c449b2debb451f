#include "runtime/gossip/engine.h"

#include "base/drain.h"
#include "io/clock.h"
#include "io/entropy.h"

namespace ginnel::gossip {
namespace {

// memberlist asks for 2 MiB ("udpRecvBufSize").
constexpr int kSocketBufferBytes = 2 << 20;
constexpr std::size_t kReceiveSlots = 8;
// A bounded number of batches and streams a turn, so that a flood does not starve timers.
constexpr int kBatchesPerTurn = 32;
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

Engine::Engine(swim::AgentConfig config, const Endpoint& bind)
    : config_(std::move(config)), bind_(bind) {}

Engine::~Engine() = default;

Result<void, Error> Engine::open_sockets() {
  const io::UdpOptions options{
      .bind = bind_, .buffer_bytes = kSocketBufferBytes, .gro = false, .fragment = true};
  for (int tries = 1;; ++tries) {
    auto udp = io::UdpSocket::open(options);
    if (!udp) return Fail(with_own_hint(udp.error()));
    auto tcp = io::TcpListener::open({bind_.address, (*udp)->local().port});
    if (!tcp && (bind_.port != 0 || tries == kPortTries)) {
      return Fail(with_own_hint(tcp.error()));
    }
    if (!tcp) continue;
    udp_ = *std::move(udp);
    tcp_ = *std::move(tcp);
    return {};
  }
}

Result<void, Error> Engine::open() {
  auto loop = io::EventLoop::make();
  if (!loop) return Fail(loop.error());
  loop_ = *std::move(loop);
  if (auto done = open_sockets(); !done) return done;
  Endpoint& advertise = config_.swim.advertise;
  if (advertise.address.is_unspecified()) advertise.address = udp_->local().address;
  if (advertise.port == 0) advertise.port = udp_->local().port;
  const auto key = io::entropy();
  if (!key) return Fail(key.error());
  agent_ = std::make_unique<swim::Agent>(config_, Rng(*key));
  for (crypto::AesKey& ring_key : keys_) (void)agent_->keys().install(std::move(ring_key));
  keys_.clear();
  outbox_.emplace(*udp_);
  batch_.emplace(kReceiveSlots);
  streams_ = std::make_unique<StreamTable>(
      *loop_, StreamTable::Handlers{[this](swim::StreamId id, ConstBytes bytes) {
                                      agent_->handle_stream_data(io::now(), id, bytes);
                                      pump();
                                    },
                                    [this](swim::StreamId id, swim::StreamEnd end) {
                                      agent_->handle_stream_closed(io::now(), id, end);
                                      pump();
                                    }});
  alarm_ = loop_->add_alarm([this] { agent_->handle_timeout(io::now()); });
  accept_again_ = loop_->add_alarm([this] { loop_->set_interest(tcp_->fd(), {.read = true}); });
  loop_->after_round([this] { pump(); });
  auto watched = loop_->watch(udp_->fd(), {.read = true}, [this](io::Ready) { receive(); });
  if (!watched) return watched;
  return loop_->watch(tcp_->fd(), {.read = true}, [this](io::Ready) { accept(); });
}

void Engine::start() {
  agent_->set_clock(io::now(), io::wall());
  agent_->start(io::now());
  pump();
}

void Engine::receive() {
  for (int round = 0; round < kBatchesPerTurn; ++round) {
    const auto received = udp_->receive(*batch_);
    if (received.empty()) return;
    const Instant now = io::now();
    for (const io::Received& one : received) {
      ++received_;
      received_bytes_ += one.bytes.size();
      agent_->handle_datagram(now, kSocket, one.from, one.bytes);
      pump();
    }
  }
}

void Engine::accept() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    auto stream = tcp_->accept();
    if (!stream && stream.error() == io::TcpListener::Refusal::kExhausted) return pause_accepting();
    if (!stream) return;
    const auto id = agent_->accept_stream(io::now(), stream->peer());
    if (id) streams_->accepted(*id, *std::move(stream));
  }
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
    next = drain(*agent_, now, *outbox_, [&](const swim::AgentEvent& event) {
      handle(event);
      more = true;
    });
  }
  const bool sent = outbox_->flush();
  loop_->set_interest(udp_->fd(), {.read = true, .write = !sent});
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
