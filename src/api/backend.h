// What is behind a public Node: a core of this process (NodeImpl), or the local daemon's
// (runtime/attached).
//
// Any thread may call, except where Driver says otherwise of an external loop.
#pragma once
#include <ginnel/node.h>

#include <map>

#include "base/bytes.h"
#include "base/instant.h"

namespace ginnel::api {

using MessageHandler = std::function<void(const Message&)>;
using RequestCallback = std::function<void(const Request&)>;
using PathHandler = std::function<void(const PeerInfo&)>;
using MemberHandler = std::function<void(const MemberInfo&)>;
using UndeliveredHandler = std::function<void(const Undelivered&)>;
using WritableHandler = std::function<void(const Id& peer, std::string_view channel)>;
// Called once each, where handlers are called; with kClosed also when the node goes.
using AckedDone = std::function<void(std::vector<Failed>)>;
using RequestDone = std::function<void(Result<Message, Error>)>;

// Each of `peers` with this error.
std::vector<Failed> all_failed(const std::vector<std::string>& peers, const Error& error);

class Backend {
 public:
  virtual ~Backend() = default;

  virtual Id id() const = 0;
  virtual std::string name() const = 0;

  virtual Result<void, Error> send(std::string_view peer, std::string_view channel,
                                   ConstBytes data) = 0;
  virtual Result<void, Error> send_datagram(std::string_view peer, std::string_view channel,
                                            ConstBytes data) = 0;
  virtual void send_acked(const std::vector<std::string>& peers, std::string_view channel,
                          ConstBytes data, Nanoseconds deadline, AckedDone done) = 0;
  virtual void request(std::string_view peer, std::string_view channel, ConstBytes data,
                       Nanoseconds deadline, RequestDone done) = 0;

  virtual Subscription on_message(std::string_view channel, MessageHandler handler) = 0;
  virtual Subscription on_request(std::string_view channel, RequestCallback handler) = 0;
  virtual Subscription on_undelivered(UndeliveredHandler handler) = 0;
  virtual Subscription on_path(PathHandler handler) = 0;
  virtual Subscription on_member(MemberHandler handler) = 0;
  virtual Subscription on_writable(WritableHandler handler) = 0;

  virtual std::vector<PeerInfo> peers() = 0;
  virtual std::vector<HubInfo> hubs() = 0;
  virtual std::vector<MemberInfo> members() = 0;
  virtual std::map<std::string, std::string> tags() = 0;
  virtual Result<void, Error> change_tags(const std::map<std::string, std::string>& set,
                                          const std::vector<std::string>& del) = 0;
  virtual std::optional<PathInfo> path(std::string_view peer) = 0;
  virtual std::vector<Attempt> why(std::string_view peer) = 0;
  virtual bool wait_online(Nanoseconds limit) = 0;

  virtual void run() = 0;
  virtual void stop() = 0;

  // Of a node whose loop is the caller's. Elsewhere -1, nothing, and kUsage.
  virtual int fd() const { return -1; }
  virtual std::optional<std::chrono::steady_clock::time_point> next_deadline() const {
    return std::nullopt;
  }
  virtual Result<void, Error> poll(std::chrono::steady_clock::time_point until) {
    (void)until;
    return Fail(Error{Errc::kUsage, "this node has a loop of its own",
                      "Options.loop = ginnel::Loop::kExternal for one that is polled"});
  }
};

}  // namespace ginnel::api
