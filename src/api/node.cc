// The public Node: each call is one of its Backend's. Node::join, open and attach are the
// runtime's, which has the drivers (runtime/node_factory.cc).
#include <ginnel/node.h>

#include <span>

#include "api/backend.h"
#include "node/node.h"

namespace ginnel {
namespace {

Error moved_from() { return {Errc::kClosed, "this Node was moved from", ""}; }

// A handler is copied, a promise is not.
template <class T>
auto fulfil(std::shared_ptr<std::promise<T>> promise) {
  return [promise = std::move(promise)](T value) { promise->set_value(std::move(value)); };
}

}  // namespace

Node::Node(std::unique_ptr<api::Backend> impl) : impl_(std::move(impl)) {}
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

Id Node::id() const { return impl_ ? impl_->id() : Id(); }
std::string Node::name() const { return impl_ ? impl_->name() : ""; }

Result<void, Error> Node::send(std::string_view peer, std::string_view channel,
                               std::span<const std::byte> data) {
  if (!impl_) return Fail(moved_from());
  return impl_->send(peer, channel, data);
}

Result<void, Error> Node::send(std::string_view peer, std::string_view channel,
                               std::string_view text) {
  return send(peer, channel, std::as_bytes(std::span(text)));
}

std::future<std::vector<Failed>> Node::send_acked(const std::vector<std::string>& peers,
                                                  std::string_view channel,
                                                  std::span<const std::byte> data,
                                                  std::chrono::nanoseconds deadline) {
  const auto promise = std::make_shared<std::promise<std::vector<Failed>>>();
  send_acked(peers, channel, data, deadline, fulfil(promise));
  return promise->get_future();
}

void Node::send_acked(const std::vector<std::string>& peers, std::string_view channel,
                      std::span<const std::byte> data, std::chrono::nanoseconds deadline,
                      std::function<void(std::vector<Failed>)> done) {
  if (!done) done = [](std::vector<Failed>) {};
  if (!impl_) return done(api::all_failed(peers, moved_from()));
  impl_->send_acked(peers, channel, data, deadline, std::move(done));
}

Result<void, Error> Node::send_datagram(std::string_view peer, std::string_view channel,
                                        std::span<const std::byte> data) {
  if (!impl_) return Fail(moved_from());
  return impl_->send_datagram(peer, channel, data);
}

// The smallest of all paths: the path may change between asking and sending.
std::size_t Node::max_datagram(std::string_view) const { return node::kDatagramBytesMax; }

Subscription Node::on_message(std::string_view channel,
                              std::function<void(const Message&)> handler) {
  if (!impl_ || !handler) return {};
  return impl_->on_message(channel, std::move(handler));
}

std::future<Result<Message, Error>> Node::request(std::string_view peer, std::string_view channel,
                                                  std::span<const std::byte> data,
                                                  std::chrono::nanoseconds deadline) {
  const auto promise = std::make_shared<std::promise<Result<Message, Error>>>();
  request(peer, channel, data, deadline, fulfil(promise));
  return promise->get_future();
}

void Node::request(std::string_view peer, std::string_view channel,
                   std::span<const std::byte> data, std::chrono::nanoseconds deadline,
                   std::function<void(Result<Message, Error>)> done) {
  if (!done) done = [](Result<Message, Error>) {};
  if (!impl_) return done(Fail(moved_from()));
  impl_->request(peer, channel, data, deadline, std::move(done));
}

std::future<Result<Message, Error>> Node::request(std::string_view peer, std::string_view channel,
                                                  std::string_view text,
                                                  std::chrono::nanoseconds deadline) {
  return request(peer, channel, std::as_bytes(std::span(text)), deadline);
}

Subscription Node::on_request(std::string_view channel,
                              std::function<void(const Request&)> handler) {
  if (!impl_ || !handler) return {};
  return impl_->on_request(channel, std::move(handler));
}

Subscription Node::on_undelivered(std::function<void(const Undelivered&)> handler) {
  if (!impl_ || !handler) return {};
  return impl_->on_undelivered(std::move(handler));
}

Subscription Node::on_path(std::function<void(const PeerInfo&)> handler) {
  if (!impl_ || !handler) return {};
  return impl_->on_path(std::move(handler));
}

Subscription Node::on_member(std::function<void(const MemberInfo&)> handler) {
  if (!impl_ || !handler) return {};
  return impl_->on_member(std::move(handler));
}

Subscription Node::on_writable(
    std::function<void(const Id& peer, std::string_view channel)> handler) {
  if (!impl_ || !handler) return {};
  return impl_->on_writable(std::move(handler));
}

std::vector<PeerInfo> Node::peers() const {
  if (!impl_) return {};
  return impl_->peers();
}

std::vector<HubInfo> Node::hubs() const {
  if (!impl_) return {};
  return impl_->hubs();
}

std::vector<MemberInfo> Node::members() const {
  if (!impl_) return {};
  return impl_->members();
}

std::map<std::string, std::string> Node::tags() const {
  if (!impl_) return {};
  return impl_->tags();
}

Result<void, Error> Node::change_tags(const std::map<std::string, std::string>& set,
                                      const std::vector<std::string>& del) {
  if (!impl_) return Fail(moved_from());
  return impl_->change_tags(set, del);
}

std::optional<PathInfo> Node::path(std::string_view peer) const {
  if (!impl_) return std::nullopt;
  return impl_->path(peer);
}

std::vector<Attempt> Node::why(std::string_view peer) const {
  if (!impl_) return {};
  return impl_->why(peer);
}

bool Node::wait_online(std::chrono::nanoseconds deadline) {
  return impl_ && impl_->wait_online(deadline);
}

void Node::run() {
  if (impl_) impl_->run();
}

void Node::stop() {
  if (impl_) impl_->stop();
}

int Node::fd() const { return impl_ ? impl_->fd() : -1; }

std::optional<std::chrono::steady_clock::time_point> Node::next_deadline() const {
  if (!impl_) return std::nullopt;
  return impl_->next_deadline();
}

Result<void, Error> Node::poll(std::chrono::steady_clock::time_point until) {
  if (!impl_) return Fail(moved_from());
  return impl_->poll(until);
}

}  // namespace ginnel
