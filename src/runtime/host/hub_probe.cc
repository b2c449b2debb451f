#include "runtime/host/hub_probe.h"

#include <algorithm>

#include "base/timers.h"
#include "proto/stun/request.h"

namespace ginnel::host {
namespace {

std::size_t header_bytes(const Endpoint& to) {
  return (to.address.is_v4() ? 20u : 40u) + 8;
}

// Of the path MTUs that are met: Ethernet, PPPoE, GRE, IPsec and other tunnels.
constexpr std::array<std::size_t, 12> kLadder = {1492, 1480, 1460, 1440, 1420, 1400,
                                                 1380, 1360, 1340, 1320, 1300, 1280};

// A STUN message has a length that is a multiple of four.
std::size_t message_bytes(std::size_t packet_bytes, const Endpoint& to) {
  return (packet_bytes - header_bytes(to)) & ~std::size_t{3};
}

}  // namespace

HubProbe::HubProbe(const std::vector<ProbeTarget>& targets, Rng rng, Instant now)
    : rng_(std::move(rng)) {
  for (const ProbeTarget& target : targets) {
    if (asked_.size() == kTargetsMax) break;
    Asked& asked = asked_.emplace_back();
    asked.finding.endpoint = target.endpoint;
    // Jumbo frames inside a site say nothing of the path beyond it.
    asked.finding.mtu_tried_bytes = std::clamp(target.packet_bytes_max, kPacketBytesMin,
                                               std::size_t{1500});
    begin(now, asked, Phase::kReach);
  }
}

void HubProbe::begin(Instant now, Asked& asked, Phase phase) {
  asked.phase = phase;
  asked.tries = 0;
  asked.questions.clear();
  if (phase != Phase::kDone) ask_again(now, asked);
}

void HubProbe::ask(Asked& asked, std::size_t packet_bytes) {
  asked.questions.push_back({stun::make_transaction(rng_.array<12>()), packet_bytes, {}});
}

void HubProbe::ask_again(Instant now, Asked& asked) {
  ++asked.tries;
  asked.deadline = now + kAnswerTime;
  const std::size_t small = stun::kRequestBytes + header_bytes(asked.finding.endpoint);
  if (asked.phase != Phase::kLadder) {
    // Beside the wide one a small one, for the round trip: the best of several counts.
    ask(asked, small);
    if (asked.phase == Phase::kWidest) ask(asked, asked.finding.mtu_tried_bytes);
    return;
  }
  for (const std::size_t size : kLadder) {
    const bool open = size > asked.finding.mtu_bytes && size < asked.finding.mtu_tried_bytes;
    if (open) ask(asked, size);
  }
}

void HubProbe::handle_timeout(Instant now) {
  for (Asked& asked : asked_) {
    if (asked.phase == Phase::kDone || asked.deadline > now) continue;
    const int tries = asked.phase == Phase::kReach ? kTries : kTries / 2;
    if (asked.tries < tries) {
      ask_again(now, asked);
    } else {
      give_up(now, asked);
    }
  }
}

void HubProbe::give_up(Instant now, Asked& asked) {
  begin(now, asked, asked.phase == Phase::kWidest ? Phase::kLadder : Phase::kDone);
}

std::optional<Transmit> HubProbe::poll_transmit(Instant now, Bytes slot) {
  for (Asked& asked : asked_) {
    for (Question& question : asked.questions) {
      if (question.sent) continue;
      question.sent = now;
      const Endpoint& to = asked.finding.endpoint;
      const std::size_t size =
          stun::write_request({.transaction = question.transaction,
                               .want_clock = true,
                               .size = message_bytes(question.packet_bytes, to)},
                              slot);
      if (size > 0) return Transmit{.path = kSocket, .to = to, .size = size};
    }
  }
  return std::nullopt;
}

bool HubProbe::handle_answer(Instant now, Wall wall, const Endpoint& from, ConstBytes datagram) {
  const auto message = stun::Message::parse(datagram);
  if (!message || message->type != stun::kBindingResponse) return false;
  for (Asked& asked : asked_) {
    if (asked.finding.endpoint != from) continue;
    const auto question =
        std::ranges::find(asked.questions, message->transaction, &Question::transaction);
    if (question == asked.questions.end() || !question->sent) continue;
    learn(asked, *question, now, wall, *message);
    const bool widest = asked.finding.mtu_bytes == asked.finding.mtu_tried_bytes;
    if (asked.phase == Phase::kReach) {
      begin(now, asked, Phase::kWidest);
    } else if (widest) {
      begin(now, asked, Phase::kDone);
    }
    return true;
  }
  return false;
}

void HubProbe::learn(Asked& asked, const Question& question, Instant now, Wall wall,
                     const stun::Message& answer) {
  ProbeFinding& finding = asked.finding;
  const Nanoseconds rtt = now - *question.sent;
  finding.mtu_bytes = std::max(finding.mtu_bytes, question.packet_bytes);
  finding.mapped = answer.xor_mapped ? answer.xor_mapped : answer.mapped;
  if (answer.other) finding.probe_port = answer.other->port;
  if (finding.rtt && *finding.rtt <= rtt) return;
  // The quickest answer bounds the clock's error best: it read it half a round trip ago.
  finding.rtt = rtt;
  if (answer.clock && answer.clock->wall) {
    finding.clock_ahead = *answer.clock->wall + rtt / 2 - wall;
  }
}

void HubProbe::note_trouble(const Endpoint& to, SendTrouble trouble) {
  for (Asked& asked : asked_) {
    if (asked.finding.endpoint == to) asked.finding.trouble = trouble;
  }
}

std::optional<Instant> HubProbe::next_timeout() const {
  std::optional<Instant> out;
  for (const Asked& asked : asked_) {
    if (asked.phase != Phase::kDone) out = earlier(out, asked.deadline);
  }
  return out;
}

std::vector<ProbeFinding> HubProbe::findings() const {
  std::vector<ProbeFinding> out;
  for (const Asked& asked : asked_) out.push_back(asked.finding);
  return out;
}

}  // namespace ginnel::host
