#include "runtime/redeem.h"

#include "base/drain.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/event_loop.h"
#include "node/joiner.h"
#include "runtime/outbox.h"
#include "runtime/resolve.h"

namespace ginnel::runtime {
namespace {

using control::RefusedCode;

Error error_of(const node::Refusal& refusal) {
  const std::string again = "ask for a new one: `ginnel invite` on a hub";
  switch (refusal.code) {
    case RefusedCode::kTokenInvalid:
      return {Errc::kTokenInvalid, "join: the hub does not know this token", again};
    case RefusedCode::kTokenUsed:
      return {Errc::kTokenUsed, "join: the token was redeemed by another node", again};
    case RefusedCode::kTokenExpired:
      return {Errc::kTokenExpired, "join: the token has expired", again};
    case RefusedCode::kTokenWithdrawn:
      return {Errc::kTokenRevoked, "join: the token was withdrawn", again};
    case RefusedCode::kNameTaken:
      return {Errc::kNameTaken, "join: " + refusal.text, "choose another name with --name"};
    case RefusedCode::kWrongNetwork:
      return {Errc::kWrongNetwork, "join: " + refusal.text, again};
    case RefusedCode::kCertificateExpired:
      return {Errc::kDenied, "join: " + refusal.text, "set this machine's clock"};
    default:
      return {Errc::kDenied, "join: " + refusal.text, again};
  }
}

struct Tried {
  std::vector<std::vector<Endpoint>> endpoints;  // per hub of the token
  std::string text;                              // for people
};

Tried resolve_hubs(const control::Token& token) {
  Tried out;
  for (const control::TokenHub& hub : token.hubs) {
    auto& endpoints = out.endpoints.emplace_back();
    for (const std::string& name : hub.endpoints) {
      const auto found = resolve(name);
      endpoints.insert(endpoints.end(), found.begin(), found.end());
      if (!out.text.empty()) out.text += ", ";
      out.text += name;
      if (found.empty()) out.text += " (name not found)";
    }
  }
  return out;
}

control::Token copy_of(const control::Token& token) {
  control::Token out;
  out.role = token.role;
  out.network = token.network;
  out.secret = token.secret.clone();
  out.expiry_seconds = token.expiry_seconds;
  out.hubs = token.hubs;
  return out;
}

// Receives what waits and gives it to the joiner.
void receive_all(io::UdpSocket& socket, io::ReceiveBatch& batch, node::Joiner& joiner) {
  for (;;) {
    const auto received = socket.receive(batch);
    if (received.empty()) return;
    for (const io::Received& one : received) {
      joiner.handle_datagram(io::now(), kSocket, one.from, one.bytes);
    }
  }
}

Redeemed redeemed_of(const node::JoinedOutcome& outcome) {
  return {outcome.chain, outcome.network_name, outcome.overlay_v4, outcome.hubs};
}

}  // namespace

Result<Redeemed, Error> redeem_token(const RedeemRequest& request) {
  auto key = io::entropy();
  if (!key) return Fail(key.error());
  auto socket = io::UdpSocket::open({.gro = false});
  if (!socket) return Fail(socket.error());
  auto loop = io::EventLoop::make();
  if (!loop) return Fail(loop.error());

  node::OwnIdentity identity;
  identity.role = request.token.role;
  identity.identity = request.identity.clone();
  identity.session = request.session.clone();
  identity.network = request.token.network;
  Tried tried = resolve_hubs(request.token);
  const Instant start = io::now();
  node::Joiner joiner({.token = copy_of(request.token),
                       .endpoints = std::move(tried.endpoints),
                       .name = request.name,
                       .own_endpoints = request.own_endpoints},
                      identity, Rng(*key), start, io::wall());
  io::ReceiveBatch batch(16, 2048);
  SocketOutbox outbox(**socket, nullptr);
  auto watched = (*loop)->watch((*socket)->fd(), {.read = true},
                                [&](io::Ready) { receive_all(**socket, batch, joiner); });
  if (!watched) return Fail(watched.error());
  while (!joiner.outcome() && io::now() - start < request.timeout) {
    const Instant now = io::now();
    const auto deadline = joiner.next_timeout();
    if (deadline && *deadline <= now) joiner.handle_timeout(now);
    const auto next = drain(joiner, now, outbox, [](auto) {});
    outbox.flush();
    const Instant end = std::min(next.value_or(start + request.timeout), start + request.timeout);
    (*loop)->run_once(std::max<Nanoseconds>(end - now, 0ns));
  }
  (*loop)->unwatch((*socket)->fd());
  if (joiner.outcome() && *joiner.outcome()) return redeemed_of(**joiner.outcome());
  if (joiner.outcome()) return Fail(error_of(joiner.outcome()->error()));
  if (joiner.last_refusal()) return Fail(error_of(*joiner.last_refusal()));
  return Fail(Error{Errc::kHubUnreachable, "join: no hub answered at " + tried.text,
                    "check that the hub is up and that UDP reaches it"});
}

}  // namespace ginnel::runtime
