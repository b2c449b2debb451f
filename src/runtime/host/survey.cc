// 1. A socket where the node's own would be, and a second one for what NATs let in.
// 2. HubProbe asks all addresses side by side, until each has answered or is given up.
// 3. NatDiscovery asks those that answered, from the same socket.
#include "runtime/host/survey.h"

#include <algorithm>

#include "base/drain.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/event_loop.h"
#include "io/udp_socket.h"
#include "node/nat_discovery.h"
#include "runtime/engine/host_network.h"
#include "runtime/outbox.h"

namespace ginnel::host {
namespace {

constexpr std::size_t kSlotBytes = 2048;
// No round of either core waits longer; it bounds what a lost alarm could cost.
constexpr Nanoseconds kRound = 100ms;

SendTrouble trouble_of(io::SendError error) {
  switch (error) {
    case io::SendError::kTooBig: return SendTrouble::kTooBig;
    case io::SendError::kNoRoute: return SendTrouble::kNoRoute;
    case io::SendError::kDenied: return SendTrouble::kRefused;
    default: return SendTrouble::kNone;
  }
}

class Surveyor {
 public:
  using Receive = std::function<void(PathId path, const Endpoint& from, Bytes bytes)>;

  static Result<std::unique_ptr<Surveyor>, Error> open(const Address& bind) {
    auto loop = io::EventLoop::make();
    if (!loop) return Fail(loop.error());
    const io::UdpOptions options{.bind = {bind, 0}, .gro = false, .obey_path_mtu = true};
    auto main = io::UdpSocket::open(options);
    if (!main) return Fail(main.error());
    auto probe = io::UdpSocket::open(options);
    if (!probe) return Fail(probe.error());
    std::unique_ptr<Surveyor> out(new Surveyor(*std::move(loop), *std::move(main),
                                               *std::move(probe)));
    if (auto watched = out->watch(*out->main_, kSocket); !watched) return Fail(watched.error());
    if (auto watched = out->watch(*out->probe_, node::kProbeSocket); !watched)
      return Fail(watched.error());
    return out;
  }

  std::vector<ProbeFinding> probe(const std::vector<ProbeTarget>& targets, Rng rng);
  stun::NatClass classify(const std::vector<node::StunServer>& servers,
                          std::vector<Address> own, Rng rng);

 private:
  Surveyor(std::unique_ptr<io::EventLoop> loop, std::unique_ptr<io::UdpSocket> main,
           std::unique_ptr<io::UdpSocket> probe)
      : loop_(std::move(loop)), main_(std::move(main)), probe_(std::move(probe)) {}

  Result<void, Error> watch(io::UdpSocket& socket, PathId path) {
    return loop_->watch(socket.fd(), {.read = true}, [this, &socket, path](io::Ready) {
      for (const io::Received& one : socket.receive(batch_)) receive_(path, one.from, one.bytes);
    });
  }
  void send_all(HubProbe& probe);
  // Until something came, or the core wants to be called.
  void round(std::optional<Instant> next) {
    const Nanoseconds wait = next ? std::min(kRound, *next - io::now()) : kRound;
    loop_->run_once(std::max(wait, Nanoseconds{0}));
  }

  std::unique_ptr<io::EventLoop> loop_;
  std::unique_ptr<io::UdpSocket> main_;
  std::unique_ptr<io::UdpSocket> probe_;
  io::ReceiveBatch batch_{16, kSlotBytes};
  Receive receive_;
};

void Surveyor::send_all(HubProbe& probe) {
  std::array<std::byte, kSlotBytes> slot{};
  io::SendBatch batch(1);
  while (const auto transmit = probe.poll_transmit(io::now(), slot)) {
    batch.clear();
    batch.add({.to = transmit->to, .bytes = ConstBytes(slot).first(transmit->size)});
    for (const io::SendFailure& failure : main_->send(batch).failures) {
      probe.note_trouble(failure.to, trouble_of(failure.why));
    }
  }
}

std::vector<ProbeFinding> Surveyor::probe(const std::vector<ProbeTarget>& targets, Rng rng) {
  HubProbe probe(targets, std::move(rng), io::now());
  receive_ = [&](PathId, const Endpoint& from, Bytes bytes) {
    probe.handle_answer(io::now(), io::wall(), from, bytes);
  };
  while (!probe.is_done()) {
    send_all(probe);
    round(probe.next_timeout());
    probe.handle_timeout(io::now());
  }
  return probe.findings();
}

stun::NatClass Surveyor::classify(const std::vector<node::StunServer>& servers,
                                  std::vector<Address> own, Rng rng) {
  node::NatDiscovery nat(std::move(rng));
  runtime::SocketOutbox outbox(*main_, probe_.get());
  const Instant end = io::now() + kNatTime;
  nat.set_own(std::move(own), main_->local().port);
  nat.set_servers(io::now(), servers);
  receive_ = [&](PathId path, const Endpoint& from, Bytes bytes) {
    nat.handle_answer(io::now(), path, from, bytes);
  };
  while (io::now() < end) {
    const auto next = drain(nat, io::now(), outbox, [](const auto&) {});
    outbox.flush();
    // All asked: the next question is minutes away.
    if (!next || *next - io::now() > node::NatDiscovery::kAnswerTime) break;
    round(next);
    nat.handle_timeout(io::now());
  }
  return nat.nat();
}

std::size_t packet_bytes_toward(const std::optional<runtime::HostNetwork>& network,
                                const Endpoint& to) {
  if (!network) return 1500;
  return runtime::outgoing_mtu(*network, to.address).value_or(1500);
}

std::vector<node::StunServer> servers_of(const Survey& survey) {
  std::vector<node::StunServer> out;
  for (const SurveyedHub& hub : survey.hubs) {
    if (hub.finding.rtt) out.push_back({hub.finding.endpoint, hub.finding.probe_port});
  }
  return out;
}

std::vector<ProbeTarget> targets_of(const std::vector<KnownHub>& hubs,
                                    const std::optional<runtime::HostNetwork>& network,
                                    Survey& survey) {
  std::vector<ProbeTarget> out;
  for (const KnownHub& hub : hubs) {
    if (hub.endpoints.empty()) survey.unresolved.push_back(hub.texts.front());
    for (const Endpoint& endpoint : hub.endpoints) {
      if (out.size() == HubProbe::kTargetsMax) break;
      out.push_back({endpoint, packet_bytes_toward(network, endpoint)});
      survey.hubs.push_back({hub.name, {}});
    }
  }
  return out;
}

}  // namespace

bool Survey::any_answer() const {
  return std::ranges::any_of(
      hubs, [](const SurveyedHub& hub) { return hub.finding.rtt.has_value(); });
}

std::optional<Nanoseconds> Survey::clock_ahead() const {
  const SurveyedHub* best = nullptr;
  for (const SurveyedHub& hub : hubs) {
    if (!hub.finding.clock_ahead) continue;
    if (!best || *hub.finding.rtt < *best->finding.rtt) best = &hub;
  }
  return best ? best->finding.clock_ahead : std::nullopt;
}

Survey survey_hubs(const std::vector<KnownHub>& hubs, const SurveyOptions& options) {
  Survey out;
  std::optional<runtime::HostNetwork> network;
  if (auto read = runtime::read_host_network()) network = *std::move(read);
  const auto targets = targets_of(hubs, network, out);
  const auto key = io::entropy();
  auto surveyor = Surveyor::open(options.bind);
  if (!key || !surveyor) {
    out.error = !key ? key.error() : surveyor.error();
    return out;
  }
  Rng rng(*key);
  const auto findings = (*surveyor)->probe(targets, rng.fork("probe"));
  for (std::size_t i = 0; i < findings.size(); ++i) out.hubs[i].finding = findings[i];
  if (!options.want_nat || !out.any_answer()) return out;
  std::vector<Address> own;
  if (network) own = runtime::addresses_of(*network, {}).addresses;
  // On loopback no NAT stands between, and addresses_of() leaves its addresses out.
  own.push_back(Address::v4(127, 0, 0, 1));
  out.nat = (*surveyor)->classify(servers_of(out), std::move(own), rng.fork("nat"));
  return out;
}

}  // namespace ginnel::host
