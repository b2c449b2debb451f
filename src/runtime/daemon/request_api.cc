#include "runtime/daemon/request_api.h"

#include "io/clock.h"
#include "runtime/control/error_document.h"
#include "runtime/daemon/body.h"
#include "runtime/daemon/daemon.h"

namespace ginnel::runtime {
namespace {

using control::ReplyCode;

constexpr Nanoseconds kDefaultDeadline = 10s;
// Side by side, of one replier.
constexpr std::size_t kJobsMax = 256;

void refuse(const control_api::Responder& responder, const Error& error) {
  responder.answer(control_api::http_status(error.code), control_api::error_document(error));
}

nlohmann::json who(const Daemon& daemon, const Id& id) {
  const auto info = daemon.node().peer_info(io::now(), id);
  return {{"id", id.text()}, {"name", info ? info->name : std::string()}};
}

}  // namespace

bool RequestApi::answer(const control_api::Request& request, const json& body,
                        const Responder& responder) {
  if (request.method != "POST") return false;
  if (request.target == "/v1/req") {
    ask(body, responder);
  } else if (request.target == "/v1/replier") {
    serve(body, responder);
  } else if (request.target == "/v1/reply") {
    reply(body, responder);
  } else {
    return false;
  }
  return true;
}

void RequestApi::handle(const node::Event& event) {
  if (const auto* ready = std::get_if<node::RequestReady>(&event)) {
    ready_.emplace(ready->channel, ready->from);
    deliver();
  } else if (const auto* settled = std::get_if<node::RequestSettled>(&event)) {
    settle(*settled);
  }
}

void RequestApi::ask(const json& body, const Responder& responder) {
  const auto data = data_of(body);
  const std::string peer = text_at(body, "peer");
  const std::string channel = text_at(body, "channel");
  if (!data || peer.empty() || channel.empty()) return refuse(responder, malformed());
  const std::uint64_t call = next_++;
  asking_.emplace(call, responder);
  Daemon& daemon = daemon_;
  responder.on_cancelled([this, &daemon, call] {
    daemon.loop().post([this, &daemon, call] {
      if (asking_.erase(call) == 0) return;
      daemon.node().cancel_request(call);
      daemon.pump();
    });
  });
  daemon.node().request(io::now(), call, peer, channel, *data,
                        seconds_of(body, "timeout", kDefaultDeadline));
}

void RequestApi::settle(const node::RequestSettled& settled) {
  const auto asking = asking_.extract(settled.call);
  if (asking.empty()) return;
  if (!settled.reply) return refuse(asking.mapped(), settled.reply.error());
  json out{{"v", 1}, {"from", who(daemon_, settled.peer)}};
  put_data(out, *settled.reply);
  asking.mapped().ok(out.dump());
}

void RequestApi::serve(const json& body, const Responder& responder) {
  Replier replier{.responder = responder, .channel = text_at(body, "channel"), .having = {}};
  if (replier.channel.empty()) return refuse(responder, malformed());
  replier.jobs = std::clamp<std::size_t>(body.value("jobs", std::size_t{8}), 1, kJobsMax);
  const std::uint64_t number = next_++;
  const std::string channel = replier.channel;
  repliers_.emplace(number, std::move(replier));
  Daemon& daemon = daemon_;
  responder.on_cancelled([this, &daemon, number] {
    daemon.loop().post([this, &daemon, number] {
      end_replier(number);
      daemon.pump();
    });
  });
  responder.on_taken([this, &daemon, number](std::size_t) {
    daemon.loop().post([this, &daemon, number] {
      if (const auto it = repliers_.find(number); it != repliers_.end()) it->second.reading = false;
      deliver();
      daemon.pump();
    });
  });
  responder.begin();
  daemon.node().subscribe_requests(channel);
}

// What the replier had is not given to another one: it may have been done.
void RequestApi::end_replier(std::uint64_t number) {
  const auto replier = repliers_.extract(number);
  if (replier.empty()) return;
  for (const std::uint64_t request : replier.mapped().having) {
    const Open open = open_.at(request);
    (void)daemon_.node().reply(io::now(), open.from, open.id, ReplyCode::kFailed, {});
    open_.erase(request);
  }
  daemon_.node().unsubscribe_requests(replier.mapped().channel);
}

void RequestApi::deliver() {
  for (bool more = true; more;) {
    more = false;
    for (auto& [number, replier] : repliers_) {
      const bool free = !replier.reading && replier.having.size() < replier.jobs;
      if (free && deliver_one(number, replier)) more = true;
    }
  }
}

bool RequestApi::deliver_one(std::uint64_t number, Replier& replier) {
  for (auto it = ready_.lower_bound({replier.channel, Id()});
       it != ready_.end() && it->first == replier.channel;) {
    const Id from = it->second;
    const auto request = daemon_.node().take_request(from, replier.channel);
    if (!request) {
      it = ready_.erase(it);
      continue;
    }
    json line{{"v", 1}, {"request", next_}, {"from", who(daemon_, from)}};
    put_data(line, request->data);
    write(number, replier, from, line, request->id);
    return true;
  }
  return false;
}

void RequestApi::write(std::uint64_t number, Replier& replier, const Id& from, const json& line,
                       std::uint64_t id) {
  const std::uint64_t request = next_++;
  open_.emplace(request, Open{number, from, id});
  replier.having.insert(request);
  replier.reading = true;
  // A replier that is gone fails it when its end is noticed.
  (void)replier.responder.write_line(line.dump());
}

void RequestApi::reply(const json& body, const Responder& responder) {
  const auto found = open_.find(body.value("request", std::uint64_t{0}));
  const auto data = data_of(body);
  if (found == open_.end() || !data) {
    return refuse(responder, {Errc::kClosed, "no such request waits for a reply", ""});
  }
  const Open open = found->second;
  ReplyCode code = body.value("failed", false) ? ReplyCode::kFailed : ReplyCode::kAnswered;
  if (body.value("denied", false)) code = ReplyCode::kDenied;
  const auto sent = daemon_.node().reply(io::now(), open.from, open.id, code, *data);
  const bool stays = !sent && (sent.error().code == Errc::kWouldBlock ||
                               sent.error().code == Errc::kTooLarge);
  if (!stays) {
    if (const auto it = repliers_.find(open.replier); it != repliers_.end()) {
      it->second.having.erase(found->first);
    }
    open_.erase(found);
    deliver();
  }
  if (!sent) return refuse(responder, sent.error());
  responder.ok(R"({"v":1})");
}

}  // namespace ginnel::runtime
