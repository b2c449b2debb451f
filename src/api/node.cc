// The public Node: each call is one of NodeImpl's. Node::join and Node::open are the runtime's, which
// has the driver (runtime/node_factory.cc).
#include <ginnel/node.h>

#include "api/node_impl.h"

namespace ginnel {

Node::Node(std::unique_ptr<api::NodeImpl> impl) : impl_(std::move(impl)) {}
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

Id Node::id() const { return impl_->id(); }
std::string Node::name() const { return impl_->name(); }

Result<void, Error> Node::send(std::string_view peer, std::string_view channel,
                               std::span<const std::byte> data) {
  return impl_->send(peer, channel, data);
}

Result<void, Error> Node::send(std::string_view peer, std::string_view channel,
                               std::string_view text) {
  return impl_->send(peer, channel, bytes_of(text));
}

std::future<std::vector<Failed>> Node::send_acked(const std::vector<std::string>& peers,
                                                  std::string_view channel,
                                                  std::span<const std::byte> data,
                                                  std::chrono::nanoseconds deadline) {
  return impl_->send_acked(peers, channel, data, deadline);
}

Result<void, Error> Node::send_datagram(std::string_view peer, std::string_view channel,
                                        std::span<const std::byte> data) {
  return impl_->send_datagram(peer, channel, data);
}

// The smallest of all paths: the path may change between asking and sending.
std::size_t Node::max_datagram(std::string_view) const { return node::kDatagramBytesMax; }

Subscription Node::on_message(std::string_view channel,
                              std::function<void(const Message&)> handler) {
  return impl_->on_message(channel, std::move(handler));
}

Subscription Node::on_path(std::function<void(const PeerInfo&)> handler) {
  return impl_->on_path(std::move(handler));
}

Subscription Node::on_writable(
    std::function<void(const Id& peer, std::string_view channel)> handler) {
  return impl_->on_writable(std::move(handler));
}

std::vector<PeerInfo> Node::peers() const { return impl_->peers(); }
std::vector<HubInfo> Node::hubs() const { return impl_->hubs(); }
std::optional<PathInfo> Node::path(std::string_view peer) const { return impl_->path(peer); }
std::vector<Attempt> Node::why(std::string_view peer) const { return impl_->why(peer); }

bool Node::wait_online(std::chrono::nanoseconds deadline) { return impl_->wait_online(deadline); }
void Node::run() { impl_->driver().run(); }
void Node::stop() { impl_->driver().stop(); }

}  // namespace ginnel
