#include "api/node_impl.h"

#include <algorithm>

namespace ginnel::api {
namespace {

// `Nanoseconds::max()` means "forever": added to a clock it would be the past.
constexpr Nanoseconds kWaitMax = std::chrono::hours(24 * 365);

Error closed() { return {Errc::kClosed, "the node was closed", ""}; }

HubInfo hub_info(const node::HubStatus& hub) {
  return {.id = hub.id,
          .name = hub.name,
          .state = hub.state,
          .endpoint = hub.endpoint,
          .rtt = hub.rtt};
}

bool is_online(const node::Node& core, Instant now) {
  for (const node::HubStatus& hub : core.status(now).hubs) {
    if (hub.state == PeerState::kOnline) return true;
  }
  return false;
}

}  // namespace

std::vector<Failed> all_failed(const std::vector<std::string>& peers, const Error& error) {
  std::vector<Failed> out;
  for (const std::string& peer : peers) out.push_back({peer, error});
  return out;
}

NodeImpl::NodeImpl(std::unique_ptr<Driver> driver) : shared_(std::make_shared<Shared>()) {
  shared_->driver = std::move(driver);
  // The driver's thread ends before Shared does: ~NodeImpl closes it.
  shared_->driver->start(
      [dispatcher = &shared_->dispatcher](node::Node& core, Instant now, const node::Event& event) {
        dispatcher->handle(core, now, event);
      });
  shared_->driver->with_core([this](node::Node& core, Instant) {
    id_ = core.self().id;
    name_ = core.self().name;
  });
}

NodeImpl::~NodeImpl() {
  shared_->driver->close();
  shared_->dispatcher.fail_all();
}

Result<void, Error> NodeImpl::send(std::string_view peer, std::string_view channel,
                                   ConstBytes data) {
  Result<void, Error> out = Fail(closed());
  driver().with_core([&](node::Node& core, Instant now) {
    out = core.send(now, peer, channel, data);
  });
  return out;
}

Result<void, Error> NodeImpl::send_datagram(std::string_view peer, std::string_view channel,
                                            ConstBytes data) {
  Result<void, Error> out = Fail(closed());
  driver().with_core([&](node::Node& core, Instant now) {
    out = core.send_datagram(now, peer, channel, data);
  });
  return out;
}

void NodeImpl::send_acked(const std::vector<std::string>& peers, std::string_view channel,
                          ConstBytes data, Nanoseconds deadline, AckedDone done) {
  deadline = std::min(deadline, kWaitMax);
  const bool ran = driver().with_core([&](node::Node& core, Instant now) {
    shared_->dispatcher.send_acked(core, now, peers, channel, data, deadline, std::move(done));
  });
  if (!ran) done(all_failed(peers, closed()));
}

template <class Add>
Subscription NodeImpl::subscribe(Add add) {
  std::uint64_t number = 0;
  driver().with_core([&](node::Node& core, Instant) { number = add(shared_->dispatcher, core); });
  return Subscription([weak = std::weak_ptr<Shared>(shared_), number] {
    const auto shared = weak.lock();
    if (!shared) return;
    shared->driver->with_core([&](node::Node& core, Instant) {
      shared->dispatcher.remove(core, number);
    });
  });
}

Subscription NodeImpl::on_message(std::string_view channel, MessageHandler handler) {
  return subscribe([&](Dispatcher& dispatcher, node::Node& core) {
    return dispatcher.add_message(core, channel, std::move(handler));
  });
}

void NodeImpl::request(std::string_view peer, std::string_view channel, ConstBytes data,
                       Nanoseconds deadline, RequestDone done) {
  deadline = std::min(deadline, kWaitMax);
  const bool ran = driver().with_core([&](node::Node& core, Instant now) {
    shared_->dispatcher.request(core, now, peer, channel, data, deadline, std::move(done));
  });
  if (!ran) done(Fail(closed()));
}

// Answers may come when the node is gone.
Request::Answer NodeImpl::answer_to(const Id& from, std::uint64_t id) const {
  return [weak = std::weak_ptr<Shared>(shared_), from, id](
             std::optional<Errc> error, ConstBytes data) -> Result<void, Error> {
    using control::ReplyCode;
    ReplyCode code = ReplyCode::kAnswered;
    if (error) code = *error == Errc::kDenied ? ReplyCode::kDenied : ReplyCode::kFailed;
    Result<void, Error> out = Fail(closed());
    const auto shared = weak.lock();
    if (!shared) return out;
    shared->driver->with_core([&](node::Node& core, Instant now) {
      out = core.reply(now, from, id, code, data);
    });
    return out;
  };
}

Subscription NodeImpl::on_request(std::string_view channel, RequestCallback handler) {
  return subscribe([&](Dispatcher& dispatcher, node::Node& core) {
    return dispatcher.add_request(
        core, channel,
        [this, handler = std::move(handler)](const Message& message, std::uint64_t id) {
          handler(Request(message, answer_to(message.from(), id)));
        });
  });
}

Subscription NodeImpl::on_undelivered(UndeliveredHandler handler) {
  return subscribe([&](Dispatcher& dispatcher, node::Node&) {
    return dispatcher.add_undelivered(std::move(handler));
  });
}

Subscription NodeImpl::on_path(PathHandler handler) {
  return subscribe([&](Dispatcher& dispatcher, node::Node&) {
    return dispatcher.add_path(std::move(handler));
  });
}

Subscription NodeImpl::on_member(MemberHandler handler) {
  return subscribe([&](Dispatcher& dispatcher, node::Node&) {
    return dispatcher.add_member(std::move(handler));
  });
}

Subscription NodeImpl::on_writable(WritableHandler handler) {
  return subscribe([&](Dispatcher& dispatcher, node::Node&) {
    return dispatcher.add_writable(std::move(handler));
  });
}

std::vector<PeerInfo> NodeImpl::peers() {
  std::vector<PeerInfo> out;
  driver().with_core([&](node::Node& core, Instant now) { out = core.status(now).peers; });
  return out;
}

std::vector<HubInfo> NodeImpl::hubs() {
  std::vector<HubInfo> out;
  driver().with_core([&](node::Node& core, Instant now) {
    for (const node::HubStatus& hub : core.status(now).hubs) out.push_back(hub_info(hub));
  });
  return out;
}

std::vector<MemberInfo> NodeImpl::members() {
  std::vector<MemberInfo> out;
  driver().with_core([&](node::Node& core, Instant) { out = core.members(); });
  return out;
}

std::map<std::string, std::string> NodeImpl::tags() {
  std::map<std::string, std::string> out;
  driver().with_core([&](node::Node& core, Instant) {
    if (const swim::Agent* agent = core.gossip_agent()) out = agent->tags();
  });
  return out;
}

Result<void, Error> NodeImpl::change_tags(const std::map<std::string, std::string>& set,
                                          const std::vector<std::string>& del) {
  Result<void, Error> out = Fail(closed());
  driver().with_core([&](node::Node& core, Instant now) { out = core.change_tags(now, set, del); });
  return out;
}

std::optional<PathInfo> NodeImpl::path(std::string_view peer) {
  std::optional<PathInfo> out;
  driver().with_core([&](node::Node& core, Instant now) {
    const auto id = core.resolve(peer);
    if (!id) return;
    if (const auto info = core.peer_info(now, *id)) out = info->path;
  });
  return out;
}

std::vector<Attempt> NodeImpl::why(std::string_view peer) {
  std::vector<Attempt> out;
  driver().with_core([&](node::Node& core, Instant now) {
    if (const auto id = core.resolve(peer)) out = core.why(now, *id);
  });
  return out;
}

bool NodeImpl::wait_online(Nanoseconds limit) {
  return driver().wait_until(is_online, std::min(limit, kWaitMax));
}

}  // namespace ginnel::api
