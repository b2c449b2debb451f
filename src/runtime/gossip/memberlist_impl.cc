#include "runtime/gossip/memberlist_impl.h"

#include <unistd.h>

#include <csignal>
#include <pthread.h>

#include "io/clock.h"
#include "proto/swim/limits.h"
#include "runtime/gossip/drop_error.h"
#include "runtime/gossip/joiner.h"
#include "runtime/gossip/member.h"
#include "runtime/gossip/transport_driver.h"
#include "runtime/resolve.h"

namespace ginnel::gossip {
namespace {

constexpr Nanoseconds kSeedsAgain = 3s;
constexpr Nanoseconds kLook = 50ms;  // a change without an event is seen after this time

Error closed_error(std::string_view what) {
  return {Errc::kClosed, std::string(what) + ": the member was shut down", ""};
}

Error within_handler(std::string_view what) {
  return {Errc::kUsage, std::string(what) + ": it would wait for the handler that calls it",
          "call it from another thread"};
}

Result<swim::AgentConfig, Error> config_of(MemberlistOptions& options) {
  swim::AgentConfig out;
  if (options.preset == "wan") out.swim = swim::Config::wan();
  else if (options.preset == "local") out.swim = swim::Config::local();
  else if (options.preset != "lan") {
    return Fail(Error{Errc::kUsage, "preset " + options.preset + ": lan, wan or local", ""});
  }
  if (options.app == "ginnel") out.app = swim::App::kGinnel;
  else if (options.app == "serf") out.app = swim::App::kSerf;
  else if (options.app == "none") out.app = swim::App::kNone;
  else if (options.app != "auto") {
    return Fail(Error{Errc::kUsage, "app " + options.app + ": ginnel, none, serf or auto", ""});
  }
  char host[256] = {};
  if (options.name.empty() && ::gethostname(host, sizeof host - 1) == 0) options.name = host;
  const bool sound = !options.name.empty() && options.name.size() <= swim::kNameBytesMax &&
                     options.label.size() <= swim::kLabelBytesMax &&
                     options.meta.size() <= swim::kMetaBytesMax;
  if (!sound) {
    return Fail(Error{Errc::kUsage,
                      "name: 1 to 256 bytes; label: at most 255; metadata: at most 512", ""});
  }
  out.swim.name = options.name;
  out.swim.frame.label = options.label;
  out.meta = options.meta;
  out.swim.ask_alive = static_cast<bool>(options.delegate.accept_alive);
  out.swim.ask_merge = static_cast<bool>(options.delegate.accept_merge);
  if (options.gossip_nodes > 0) out.swim.gossip_nodes = options.gossip_nodes;
  if (options.gossip_interval > 0ns) out.swim.gossip_interval = options.gossip_interval;
  if (options.probe_interval > 0ns) out.swim.probe_interval = options.probe_interval;
  if (options.packet_bytes > 0) out.swim.udp_buffer_bytes = options.packet_bytes;
  return out;
}

Result<Endpoint, Error> literal(const std::string& text, std::string_view what) {
  const auto [host, port] = split_address(text, swim::kDefaultPort);
  const auto address = Address::parse(host);
  if (address) return Endpoint{*address, port};
  return Fail(Error{Errc::kUsage, std::string(what) + " " + text + ": must be ADDR or ADDR:PORT",
                    ""});
}

Result<std::vector<crypto::AesKey>, Error> keys_of(const std::vector<Data>& keys) {
  std::vector<crypto::AesKey> out;
  for (const Data& bytes : keys) {
    auto key = crypto::AesKey::from(bytes);
    if (!key) return Fail(Error{Errc::kUsage, "a key has 16, 24 or 32 bytes", ""});
    out.push_back(*std::move(key));
  }
  return out;
}

Result<Carrier, Error> carrier_of(const std::string& protocol) {
  if (protocol == "udp") return Carrier::kUdp;
  if (protocol == "tcp") return Carrier::kTcp;
  return Fail(Error{Errc::kUsage, "protocol " + protocol + ": udp or tcp", ""});
}

MemberState state_of(swim::State state) {
  switch (state) {
    case swim::State::kAlive: return MemberState::kAlive;
    case swim::State::kSuspect: return MemberState::kSuspect;
    case swim::State::kDead: return MemberState::kFailed;
    case swim::State::kLeft: break;
  }
  return MemberState::kLeft;
}

Error join_error(const swim::JoinFailed& failed) {
  const Errc code = failed.error == swim::JoinError::kVersions ? Errc::kWrongApp
                    : failed.error == swim::JoinError::kVetoed ? Errc::kDenied
                                                               : Errc::kUnreachable;
  return {code, "join " + failed.via.text() + ": " + failed.why, ""};
}

}  // namespace

MemberRow row_of(const swim::MemberInfo& member) {
  return {.name = member.name,
          .address = member.endpoint.text(),
          .state = state_of(member.state),
          .incarnation = member.incarnation.value(),
          .meta = member.meta,
          .suspected_by = member.suspected_by};
}

Result<std::unique_ptr<MemberlistImpl>, Error> MemberlistImpl::create(MemberlistOptions options) {
  std::unique_ptr<MemberlistImpl> out(new MemberlistImpl(std::move(options.delegate)));
  options.delegate = out->delegate_;
  if (auto opened = out->open(std::move(options)); !opened) return Fail(opened.error());
  return out;
}

Result<void, Error> MemberlistImpl::open(MemberlistOptions options) {
  auto config = config_of(options);
  if (!config) return Fail(config.error());
  auto keys = keys_of(options.keys);
  if (!keys) return Fail(keys.error());
  const auto carrier = carrier_of(options.protocol);
  if (!carrier) return Fail(carrier.error());
  const auto on_event = [this](const swim::AgentEvent& event) { handle(event); };
  if (options.transport) {
    driver_ = std::make_unique<TransportDriver>(*config, options.transport, *std::move(keys),
                                                on_event);
  } else {
    const auto bind = literal(options.bind, "bind");
    if (!bind) return Fail(bind.error());
    config->swim.advertise.address = bind->address;
    if (!options.advertise.empty()) {
      const auto advertise = literal(options.advertise, "advertise");
      if (!advertise) return Fail(advertise.error());
      config->swim.advertise = *advertise;
    } else if (bind->address.is_unspecified()) {
      const auto own = single_private_address();
      if (!own) {
        return Fail(Error{Errc::kUsage,
                          "this host has not one private address but none or several",
                          "name the one that others reach with `advertise`"});
      }
      config->swim.advertise.address = *own;
    }
    driver_ = std::make_unique<SocketDriver>(*config, *bind, *carrier, *std::move(keys), on_event);
  }
  if (auto done = driver_->open(); !done) return done;
  seeds_alarm_ = driver_->loop().add_alarm([this] { join_seeds(); });
  if (auto done = driver_->start(); !done) return done;
  running_ = true;
  thread_ = std::thread([this] { run(); });
  return {};
}

// ---- threads ----

void MemberlistImpl::run() {
  sigset_t all;  // the program's signal handlers are for its own threads
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  owner_ = std::this_thread::get_id();
  driver_->loop().run();
  driver_->stop();
  owner_ = std::thread::id();
  const std::lock_guard lock(mutex_);
  running_ = false;
  for (Call* call : calls_) call->done = true;
  calls_.clear();
  changed_.notify_all();
}

bool MemberlistImpl::with(const Work& work) {
  if (is_own_thread()) {
    work(driver_->agent(), io::now());
    return true;  // the pump that calls the handler goes on
  }
  Call call{&work};
  std::unique_lock lock(mutex_);
  if (!running_) return false;
  calls_.push_back(&call);
  // One task serves all calls that wait, so the loop's queue cannot become full.
  if (calls_.size() == 1) driver_->loop().post([this] { run_calls(); });
  changed_.wait(lock, [&] { return call.done; });
  return call.ran;
}

void MemberlistImpl::run_calls() {
  std::unique_lock lock(mutex_);
  auto calls = std::exchange(calls_, {});
  lock.unlock();
  for (Call* call : calls) (*call->work)(driver_->agent(), io::now());
  driver_->pump();
  lock.lock();
  for (Call* call : calls) call->ran = call->done = true;
  changed_.notify_all();
}

bool MemberlistImpl::wait_until(const std::function<bool()>& condition, Nanoseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    std::unique_lock lock(mutex_);
    const std::uint64_t seen = events_;
    lock.unlock();
    bool holds = false;
    const bool ran = with([&](swim::Agent&, Instant) { holds = condition(); });
    const auto now = std::chrono::steady_clock::now();
    if (holds || !ran || now >= end) return holds;
    lock.lock();
    changed_.wait_until(lock, std::min(end, now + kLook), [&] { return events_ != seen; });
  }
}

void MemberlistImpl::shutdown() {
  if (!thread_.joinable()) return;
  driver_->loop().stop();
  if (!is_own_thread()) thread_.join();
}

// ---- what the agent tells ----

void MemberlistImpl::handle(const swim::AgentEvent& event) {
  if (const auto* inner = std::get_if<swim::Event>(&event)) handle(*inner);
  if (std::holds_alternative<swim::Gone>(event)) gone_ = true;
  if (const auto* change = std::get_if<swim::metadata::Changed>(&event)) {
    using swim::metadata::Space;
    const auto item = driver_->agent().shared().get(change->key);
    const bool published = change->key.space == Space::kPublished;
    if (published && item && delegate_.on_published) delegate_.on_published(item->value);
    if (change->key.space == Space::kCommon && delegate_.on_key) delegate_.on_key(change->key.name);
  }
  const std::lock_guard lock(mutex_);
  ++events_;
  changed_.notify_all();
}

void MemberlistImpl::handle(const swim::Event& event) {
  const auto tell = [](const auto& handler, auto&&... what) {
    if (handler) handler(std::forward<decltype(what)>(what)...);
  };
  if (const auto* joined = std::get_if<swim::Joined>(&event)) {
    tell(delegate_.on_join, row_of(joined->member));
  } else if (const auto* updated = std::get_if<swim::Updated>(&event)) {
    tell(delegate_.on_update, row_of(updated->member));
  } else if (const auto* suspected = std::get_if<swim::Suspected>(&event)) {
    tell(delegate_.on_suspect, row_of(suspected->member), suspected->by);
  } else if (const auto* failed = std::get_if<swim::Failed>(&event)) {
    tell(delegate_.on_leave, row_of(failed->member));
  } else if (const auto* left = std::get_if<swim::Left>(&event)) {
    tell(delegate_.on_leave, row_of(left->member));
  } else if (const auto* conflict = std::get_if<swim::Conflict>(&event)) {
    tell(delegate_.on_conflict, row_of(conflict->kept), conflict->other.text());
  } else if (const auto* message = std::get_if<swim::UserMessage>(&event)) {
    tell(delegate_.on_message, message->bytes);
  } else if (const auto* alive = std::get_if<swim::AskAlive>(&event)) {
    veto(*alive);
  } else if (const auto* merge = std::get_if<swim::AskMerge>(&event)) {
    veto(*merge);
  } else {
    handle_outcome(event);
  }
}

void MemberlistImpl::handle_outcome(const swim::Event& event) {
  if (const auto* done = std::get_if<swim::JoinDone>(&event)) {
    settle_join(done->via, std::nullopt);
  } else if (const auto* failed = std::get_if<swim::JoinFailed>(&event)) {
    settle_join(failed->via, join_error(*failed));
  } else if (const auto* taken = std::get_if<swim::NameTaken>(&event)) {
    settle_join(taken->via, Error{Errc::kNameTaken,
                                  "join " + taken->via.text() + ": the name " +
                                      taken->holder.name + " is alive at " +
                                      taken->holder.endpoint.text(),
                                  "choose another name"});
  } else if (const auto* sent = std::get_if<swim::SendDone>(&event)) {
    const auto it = sending_.find(sent->stream);
    if (it != sending_.end()) it->second = sent->sent;
  }
}

void MemberlistImpl::veto(const swim::AskAlive& ask) {
  driver_->agent().answer_alive(io::now(), ask.id, delegate_.accept_alive(row_of(ask.member)));
}

void MemberlistImpl::veto(const swim::AskMerge& ask) {
  std::vector<MemberRow> rows;
  for (const swim::MemberInfo& member : ask.members) rows.push_back(row_of(member));
  driver_->agent().answer_merge(io::now(), ask.id, delegate_.accept_merge(rows));
}

void MemberlistImpl::settle_join(const Endpoint& via, std::optional<Error> failed) {
  const auto it = joining_.find(via);
  if (it != joining_.end()) it->second = {true, std::move(failed)};
}

// ---- what waits for an outcome ----

Result<std::size_t, Error> MemberlistImpl::join(const std::vector<std::string>& addresses,
                                                Nanoseconds limit) {
  if (is_own_thread()) return Fail(within_handler("join"));
  std::vector<Endpoint> targets;
  for (const std::string& address : addresses) {
    const auto [host, port] = split_address(address, swim::kDefaultPort);
    const auto found = runtime::resolve(host, port);
    if (!found.empty()) targets.push_back(found.front());
  }
  const bool ran = with([&](swim::Agent& agent, Instant now) {
    for (const Endpoint& target : targets) {
      joining_[target] = {};
      agent.join(now, target);
    }
  });
  if (!ran) return Fail(closed_error("join"));
  std::size_t joined = 0;
  std::optional<Error> why;
  wait_until([&] {
    return std::ranges::all_of(targets, [&](const Endpoint& t) { return joining_[t].done; });
  }, limit);
  with([&](swim::Agent&, Instant) {
    for (const Endpoint& target : targets) {
      const Joining outcome = joining_[target];
      joining_.erase(target);
      if (outcome.failed) why = outcome.failed;
      else if (outcome.done) ++joined;
    }
  });
  if (joined > 0) return joined;
  if (why) return Fail(*why);
  return Fail(Error{targets.empty() ? Errc::kUnreachable : Errc::kTimeout,
                    "join: no address answered", ""});
}

Result<void, Error> MemberlistImpl::leave(Nanoseconds limit) {
  if (is_own_thread()) return Fail(within_handler("leave"));
  if (!with([&](swim::Agent& agent, Instant now) { agent.leave(now); })) {
    return Fail(closed_error("leave"));
  }
  if (wait_until([&] { return gone_; }, limit)) return {};
  return Fail(Error{Errc::kTimeout, "leave: it may not have spread to everybody", ""});
}

Result<void, Error> MemberlistImpl::send_reliable(std::string_view name, ConstBytes message,
                                                  Nanoseconds limit) {
  if (is_own_thread()) return Fail(within_handler("send"));
  std::optional<Result<swim::StreamId, swim::Drop>> stream;
  const bool ran = with([&](swim::Agent& agent, Instant now) {
    stream = agent.send_reliable(now, name, message);
    if (*stream) sending_[**stream] = std::nullopt;
  });
  if (!ran) return Fail(closed_error("send"));
  const std::string what = "send to " + std::string(name);
  if (!*stream) return Fail(drop_error(stream->error(), what));
  wait_until([&] { return sending_[**stream].has_value(); }, limit);
  std::optional<bool> sent;
  with([&](swim::Agent&, Instant) {
    sent = sending_[**stream];
    sending_.erase(**stream);
  });
  if (sent && *sent) return {};
  return Fail(Error{sent ? Errc::kUnreachable : Errc::kTimeout, what + ": it does not answer", ""});
}

Result<void, Error> MemberlistImpl::add_seed(const std::string& address) {
  const auto [host, port] = split_address(address, swim::kDefaultPort);
  const auto found = runtime::resolve(host, port);
  if (found.empty()) {
    return Fail(Error{Errc::kUnreachable, "set " + address + ": it cannot be resolved", ""});
  }
  bool room = true;
  const bool ran = with([&](swim::Agent&, Instant) {
    room = seeds_.size() < kSeedsMax;
    if (room) seeds_.push_back(found.front());
    join_seeds();
  });
  if (!ran) return Fail(closed_error("set"));
  if (!room) return Fail(Error{Errc::kTooLarge, "set: 256 addresses are known already", ""});
  return {};
}

void MemberlistImpl::join_seeds() {
  const std::vector<swim::MemberInfo> members = driver_->agent().members();
  for (const Endpoint& seed : seeds_) {
    const bool there = std::ranges::any_of(members, [&](const swim::MemberInfo& m) {
      return m.endpoint == seed && m.state == swim::State::kAlive;
    });
    if (!there && !driver_->agent().is_leaving()) driver_->agent().join(io::now(), seed);
  }
  driver_->loop().set(seeds_alarm_, io::now() + kSeedsAgain);
}

}  // namespace ginnel::gossip
