// What a public Node holds: a running driver and the dispatcher of its events.
//
// Any thread may call; the core and the dispatcher are touched on the driver's thread only.
#pragma once
#include <ginnel/node.h>

#include "api/dispatcher.h"
#include "api/driver.h"

namespace ginnel::api {

class NodeImpl {
 public:
  // Starts the driver.
  explicit NodeImpl(std::unique_ptr<Driver> driver);
  // Leaves.
  ~NodeImpl();
  NodeImpl(const NodeImpl&) = delete;
  NodeImpl& operator=(const NodeImpl&) = delete;

  const Id& id() const { return id_; }
  const std::string& name() const { return name_; }
  Driver& driver() { return *shared_->driver; }

  Result<void, Error> send(std::string_view peer, std::string_view channel, ConstBytes data);
  Result<void, Error> send_datagram(std::string_view peer, std::string_view channel,
                                    ConstBytes data);
  std::future<std::vector<Failed>> send_acked(const std::vector<std::string>& peers,
                                              std::string_view channel, ConstBytes data,
                                              Nanoseconds deadline);

  Subscription on_message(std::string_view channel, MessageHandler handler);
  std::future<Result<Message, Error>> request(std::string_view peer, std::string_view channel,
                                              ConstBytes data, Nanoseconds deadline);
  Subscription on_request(std::string_view channel, std::function<void(const Request&)> handler);
  Subscription on_undelivered(UndeliveredHandler handler);
  Subscription on_path(PathHandler handler);
  Subscription on_member(MemberHandler handler);
  Subscription on_writable(WritableHandler handler);

  std::vector<PeerInfo> peers();
  std::vector<HubInfo> hubs();
  std::vector<MemberInfo> members();
  std::map<std::string, std::string> tags();
  Result<void, Error> change_tags(const std::map<std::string, std::string>& set,
                                  const std::vector<std::string>& del);
  std::optional<PathInfo> path(std::string_view peer);
  std::vector<Attempt> why(std::string_view peer);
  bool wait_online(Nanoseconds limit);

 private:
  struct Shared {
    std::unique_ptr<Driver> driver;
    Dispatcher dispatcher;
  };
  template <class Add>
  Subscription subscribe(Add add);
  Request::Answer answer_to(const Id& from, std::uint64_t id) const;

  // Shared: a Subscription may end after, or while, its node does.
  std::shared_ptr<Shared> shared_;
  Id id_;
  std::string name_;
};

}  // namespace ginnel::api
