#include "node/nat_discovery.h"

#include <algorithm>

#include "base/timers.h"

namespace ginnel::node {
namespace {

Endpoint probe_endpoint(const StunServer& server) {
  return {server.main.address, server.probe_port};
}

}  // namespace

PathId NatDiscovery::socket_of(Step step) {
  return step == Step::kFilter ? kProbeSocket : kSocket;
}

void NatDiscovery::set_own(std::vector<Address> addresses, std::uint16_t port) {
  own_ = std::move(addresses);
  own_port_ = port;
}

void NatDiscovery::set_servers(Instant now, std::vector<StunServer> servers) {
  if (servers.size() > kServersMax) servers.resize(kServersMax);
  if (servers == servers_) return;
  servers_ = std::move(servers);
  start_over(now);
}

void NatDiscovery::network_changed(Instant now) { start_over(now); }

void NatDiscovery::ask_again(Instant now) {
  for (Inquiry& inquiry : inquiries_) {
    if (inquiry.step == Step::kDone) inquiry.deadline = std::min(inquiry.deadline, now);
  }
}

// What was published stays until something better is known, so that `status` does not flicker.
void NatDiscovery::start_over(Instant now) {
  classifier_.reset();
  classifier_.set_own(own_, own_port_);
  change_port_.reset();
  was_settled_ = false;
  inquiries_.clear();
  for (const StunServer& server : servers_) {
    inquiries_.emplace_back().server = server;
    begin(now, inquiries_.back(), Step::kMain);
  }
}

void NatDiscovery::begin(Instant now, Inquiry& inquiry, Step step) {
  inquiry.step = step;
  inquiry.tries = 0;
  inquiry.transaction = stun::make_transaction(rng_.array<12>());
  inquiry.send_due = true;
  inquiry.settled = false;
  inquiry.deadline = now + kAnswerTime;
}

void NatDiscovery::run_again(Instant now, Inquiry& inquiry) {
  inquiry.mapped.reset();
  begin(now, inquiry, Step::kMain);
}

Endpoint NatDiscovery::expected_source(const Inquiry& inquiry) {
  return inquiry.step == Step::kMain ? inquiry.server.main : probe_endpoint(inquiry.server);
}

bool NatDiscovery::handle_answer(Instant now, PathId path, const Endpoint& from,
                                 ConstBytes datagram) {
  const auto message = stun::Message::parse(datagram);
  if (!message) return false;
  for (Inquiry& inquiry : inquiries_) {
    const bool asked_here = inquiry.step != Step::kDone && path == socket_of(inquiry.step);
    if (!asked_here || from != expected_source(inquiry)) continue;
    const auto mapped = stun::mapped_of(*message, inquiry.transaction);
    if (!mapped) continue;
    advance(now, inquiry, mapped);
    publish();
    return true;
  }
  return false;
}

void NatDiscovery::handle_timeout(Instant now) {
  for (Inquiry& inquiry : inquiries_) {
    if (inquiry.deadline > now) continue;
    if (inquiry.step == Step::kDone) {
      run_again(now, inquiry);
    } else if (inquiry.tries < kTries) {
      inquiry.send_due = true;
      inquiry.deadline = now + kAnswerTime;
    } else {
      advance(now, inquiry, std::nullopt);
    }
  }
  publish();
}

// `answer`: where the server saw us; nullopt: silence.
void NatDiscovery::advance(Instant now, Inquiry& inquiry, const std::optional<Endpoint>& answer) {
  switch (inquiry.step) {
    case Step::kMain:
      inquiry.mapped = answer;
      if (answer) classifier_.note_mapped(inquiry.server.main, *answer);
      if (!answer || inquiry.server.probe_port == 0) return finish(now, inquiry);
      return begin(now, inquiry, Step::kProbePort);
    case Step::kProbePort:
      if (answer) classifier_.note_mapped(probe_endpoint(inquiry.server), *answer);
      return begin(now, inquiry, Step::kFilter);
    case Step::kFilter:
      note_change_port(answer.has_value());
      return finish(now, inquiry);
    case Step::kDone:
      return;
  }
}

// One hub's probe port that gets through says more than another's that is down.
void NatDiscovery::note_change_port(bool answered) {
  change_port_ = change_port_.value_or(false) || answered;
  classifier_.note_change_port(*change_port_);
}

void NatDiscovery::finish(Instant now, Inquiry& inquiry) {
  inquiry.step = Step::kDone;
  inquiry.send_due = false;
  inquiry.settled = true;
  inquiry.deadline = now + (inquiry.mapped ? kAgain : kSilentAgain);
}

std::optional<Transmit> NatDiscovery::poll_transmit(Instant now, Bytes slot) {
  for (Inquiry& inquiry : inquiries_) {
    if (!inquiry.send_due) continue;
    inquiry.send_due = false;
    ++inquiry.tries;
    inquiry.deadline = now + kAnswerTime;
    const bool to_probe = inquiry.step == Step::kProbePort;
    const Endpoint to = to_probe ? probe_endpoint(inquiry.server) : inquiry.server.main;
    const std::size_t size = stun::write_request(
        {.transaction = inquiry.transaction, .change_port = inquiry.step == Step::kFilter}, slot);
    if (size > 0) return Transmit{.path = socket_of(inquiry.step), .to = to, .size = size};
  }
  return std::nullopt;
}

std::optional<NatDiscovery::Event> NatDiscovery::poll_event() {
  if (!changed_) return std::nullopt;
  changed_ = false;
  return Changed{};
}

std::optional<Instant> NatDiscovery::next_timeout() const {
  std::optional<Instant> out;
  for (const Inquiry& inquiry : inquiries_) out = earlier(out, inquiry.deadline);
  return out;
}

// The first run tells what it knows as it learns it; later ones when they are through.
void NatDiscovery::publish() {
  const bool done = std::ranges::all_of(inquiries_, &Inquiry::settled);
  if (was_settled_ && !done) return;
  was_settled_ = was_settled_ || done;
  Published next{.nat = classifier_.classify(), .mapped = {}};
  const bool any_left =
      std::ranges::any_of(inquiries_, [](const Inquiry& i) { return i.step != Step::kDone; });
  for (const Inquiry& inquiry : inquiries_) {
    if (!inquiry.mapped || std::ranges::count(next.mapped, *inquiry.mapped) > 0) continue;
    next.mapped.push_back(*inquiry.mapped);
  }
  next.udp_blocked = !any_left && !inquiries_.empty() && next.mapped.empty();
  const bool nothing_yet = next.mapped.empty() && any_left;
  if (nothing_yet || next == published_) return;
  published_ = std::move(next);
  changed_ = true;
}

}  // namespace ginnel::node
