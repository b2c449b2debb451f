// A program's own node in the network: it talks to others by Id or name, not by IP and port.
//
//   auto node = ginnel::Node::join({.token = ginnel::token_from_env(), .name = "alice"}).value();
//   auto chat = node.on_message("chat", [](const ginnel::Message& m) { std::puts(m.text().c_str()); });
//   node.send("bob", "chat", "hello").value();
//   node.run();
//
// Thread-safe: every call may come from any thread, also from inside a handler. Handlers run on the
// node's one I/O thread, never two at once; a slow handler delays its own node only. A handler does
// not throw. The calls of a Node that was moved from fail with kClosed, or give nothing.
//
// With Options.loop = kExternal there is no thread at all: every call but stop() comes from one
// thread, and the node does its work, and calls handlers, only inside poll(), wait_online() and
// run(), and a last time when it is destroyed. Do not wait for a future: poll until it is ready.
//
//   pollfd wait{node.fd(), POLLIN, 0};           // beside the program's own descriptors
//   while (::poll(&wait, 1, -1) >= 0) node.poll().value();
#pragma once
#include <ginnel/error.h>
#include <ginnel/id.h>
#include <ginnel/message.h>
#include <ginnel/types.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ginnel {

// Who calls the node.
enum class Loop {
  kManaged,   // one I/O thread of the node's own
  kExternal,  // the program, by poll(); the node makes no thread
};

struct Options {
  std::string token = {};           // from `ginnel invite`; not needed once the folder has an identity
  std::string name = {};            // default: the host name
  std::string dir = {};             // identity and state; default: $XDG_STATE_HOME/ginnel/NAME
  std::string listen = {};          // "ADDR:PORT"; default: a port kept in the folder
  std::chrono::seconds timeout{15}; // how long join may take
  Loop loop = Loop::kManaged;
};

// The text of $GINNEL_TOKEN, or nothing.
std::string token_from_env();

// Ends its subscription when it goes.
class [[nodiscard]] Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> end) : end_(std::move(end)) {}
  Subscription(Subscription&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    cancel();
    end_ = std::exchange(other.end_, nullptr);
    return *this;
  }
  ~Subscription() { cancel(); }
  void cancel() {
    if (auto end = std::exchange(end_, nullptr)) end();
  }

 private:
  std::function<void()> end_;
};

namespace api {
class Backend;
}

class Node {
 public:
  // Enrols with `token` if the folder has no identity yet, and returns when the identity is ready;
  // connecting goes on behind. Errors: kTokenMalformed, kTokenInvalid, kTokenUsed, kTokenExpired,
  // kTokenRevoked, kNameTaken, kHubUnreachable, kPortBusy, kKeyUnreadable, kKeyFileMode,
  // kPermission, kFile, kConfig* (ginnel.toml in the folder), kNotJoined (no identity, no token),
  // kAlreadyRunning (another program holds the folder), kExists (another name's folder), kUsage
  // (name or listen).
  static Result<Node, Error> join(const Options& options);
  // As join, but never touches the network: the folder must hold an identity.
  static Result<Node, Error> open(const Options& options);
  // The node of the daemon in this folder; empty: where the command line looks for it. The calls are
  // the same, and have one thread each while they are under way, as subscriptions have. What a
  // subscription had not taken when its daemon went, or when it was 32 MiB behind, is lost to it as to
  // `ginnel sub`; acknowledged sends of that fail. When the daemon goes, calls fail with kNotRunning;
  // subscriptions look for it after 100 ms and then ever less often, up to each 5 s. 64 calls and 64
  // subscriptions at a time; more are kWouldBlock, or never called. on_undelivered, on_path and
  // on_writable are told of the whole node, also of what other programs sent. Errors: kNotRunning,
  // kPermission (another user's daemon), kTimeout.
  static Result<Node, Error> attach(std::string_view dir = {});

  explicit Node(std::unique_ptr<api::Backend> impl);
  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;
  // Leaves: what was sent has up to a second to arrive, then the others are told. Not from inside a
  // handler of this node.
  ~Node();

  Id id() const;
  std::string name() const;

  // Reliable, in order per (peer, channel), and never doubled. Never blocks: kWouldBlock when the
  // window (1 MiB) is full, then on_writable; a message of any size enters an empty window. `peer`
  // is an Id's text or a name; one that is not known yet waits inside the window for up to
  // network.resolve_timeout (10 s). What waited in vain, and what is not known to have arrived when
  // the peer restarts, leaves or is silent for network.retain (30 s), comes back by on_undelivered.
  // `channel`: 1 to 64 bytes. Errors: kWouldBlock, kTooLarge (over 16 MiB),
  // kUnknownPeer (an ambiguous name, a stock WireGuard peer), kUnreachable, kUsage (channel),
  // kClosed. State is unchanged on error.
  Result<void, Error> send(std::string_view peer, std::string_view channel,
                           std::span<const std::byte> data);
  Result<void, Error> send(std::string_view peer, std::string_view channel, std::string_view text);

  // To one or many; success means that the receiver's program has taken it. The future holds those
  // that failed by `deadline` (from now), with the reason; empty: all took it. Do not wait for it
  // in a handler: it is fulfilled on the handlers' thread.
  std::future<std::vector<Failed>> send_acked(const std::vector<std::string>& peers,
                                              std::string_view channel,
                                              std::span<const std::byte> data,
                                              std::chrono::nanoseconds deadline);
  // The same; `done` is called where handlers are.
  void send_acked(const std::vector<std::string>& peers, std::string_view channel,
                  std::span<const std::byte> data, std::chrono::nanoseconds deadline,
                  std::function<void(std::vector<Failed>)> done);

  // Asks one peer; the answer, or why there is none, comes by `deadline` (from now). A program there
  // gets it at most once. Do not wait for it in a handler. Errors, in the future: kTimeout (also
  // when nobody replies), kReplyFailed, kDenied, kUnknownPeer, kUnreachable (the peer restarted or
  // left; whether it was done is unknown), kTooLarge, kWouldBlock (4096 are under way), kUsage,
  // kClosed.
  std::future<Result<Message, Error>> request(std::string_view peer, std::string_view channel,
                                              std::span<const std::byte> data,
                                              std::chrono::nanoseconds deadline);
  std::future<Result<Message, Error>> request(std::string_view peer, std::string_view channel,
                                              std::string_view text,
                                              std::chrono::nanoseconds deadline);
  // The same; `done` is called where handlers are.
  void request(std::string_view peer, std::string_view channel, std::span<const std::byte> data,
               std::chrono::nanoseconds deadline, std::function<void(Result<Message, Error>)> done);

  // At most once, up to max_datagram(peer) bytes. Errors: kUnknownPeer, kTooLarge, kUnreachable,
  // kUsage (channel: 1 to 64 bytes), kClosed.
  Result<void, Error> send_datagram(std::string_view peer, std::string_view channel,
                                    std::span<const std::byte> data);
  std::size_t max_datagram(std::string_view peer) const;

  // Keep what they return: a subscription ends with it. `channel` is any text; one that is no
  // channel's name gets nothing, nor does a handler that is empty.
  Subscription on_message(std::string_view channel, std::function<void(const Message&)> handler);
  // Requests on this channel; of several handlers the first one gets them. At most 1024 of a node
  // are unanswered, the next one waits.
  Subscription on_request(std::string_view channel, std::function<void(const Request&)> handler);
  // What send() took and could not deliver. Without a handler it is only counted (PeerInfo).
  Subscription on_undelivered(std::function<void(const Undelivered&)> handler);
  Subscription on_path(std::function<void(const PeerInfo&)> handler);
  // A member came, changed, was suspected, failed or left.
  Subscription on_member(std::function<void(const MemberInfo&)> handler);
  // The channel to this peer takes messages again after kWouldBlock.
  Subscription on_writable(std::function<void(const Id& peer, std::string_view channel)> handler);

  std::vector<PeerInfo> peers() const;
  std::vector<HubInfo> hubs() const;
  // What gossip knows of the network's nodes, this one included, by name.
  std::vector<MemberInfo> members() const;
  std::optional<PathInfo> path(std::string_view peer) const;
  std::vector<Attempt> why(std::string_view peer) const;

  // This node's own tags as a member.
  std::map<std::string, std::string> tags() const;
  // Sets some and takes others off, for good: they outlive the program. Errors: kUsage (`role`, or
  // together more than 512 bytes), kClosed; nothing changed.
  Result<void, Error> change_tags(const std::map<std::string, std::string>& set,
                                  const std::vector<std::string>& del = {});

  // True once a hub has registered this node; false when `deadline` passes first.
  bool wait_online(std::chrono::nanoseconds deadline);
  // Blocks until stop(), also one that came before. Not from a handler: there it returns at once.
  void run();
  void stop();

  // Of a node with Loop::kExternal. The descriptor is readable when poll() has something to do, also
  // when a deadline has passed; it may be watched by poll(2), select(2) and epoll(7), and is not to be
  // read. -1 for other nodes.
  int fd() const;
  // When poll() is due at the latest, for those who do not watch fd() or sleep by it.
  std::optional<std::chrono::steady_clock::time_point> next_deadline() const;
  // Does all that is due and returns, or waits for more until `until`. Not from a handler. Errors:
  // kUsage (this node has a thread), kClosed.
  Result<void, Error> poll(
      std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::min());

 private:
  std::unique_ptr<api::Backend> impl_;
};

}  // namespace ginnel
