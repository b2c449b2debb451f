// What a public Node holds: a running driver and the dispatcher of its events.
//
// Any thread may call; the core and the dispatcher are touched on the driver's thread only.
#pragma once
#include <ginnel/node.h>

#include "api/backend.h"
#include "api/dispatcher.h"
#include "api/driver.h"

namespace ginnel::api {

class NodeImpl final : public Backend {
 public:
  // Starts the driver.
  explicit NodeImpl(std::unique_ptr<Driver> driver);
  // Leaves.
  ~NodeImpl() override;
  NodeImpl(const NodeImpl&) = delete;
  NodeImpl& operator=(const NodeImpl&) = delete;

  Id id() const override { return id_; }
  std::string name() const override { return name_; }

  Result<void, Error> send(std::string_view peer, std::string_view channel,
                           ConstBytes data) override;
  Result<void, Error> send_datagram(std::string_view peer, std::string_view channel,
                                    ConstBytes data) override;
  void send_acked(const std::vector<std::string>& peers, std::string_view channel, ConstBytes data,
                  Nanoseconds deadline, AckedDone done) override;
  void request(std::string_view peer, std::string_view channel, ConstBytes data,
               Nanoseconds deadline, RequestDone done) override;

  Subscription on_message(std::string_view channel, MessageHandler handler) override;
  Subscription on_request(std::string_view channel, RequestCallback handler) override;
  Subscription on_undelivered(UndeliveredHandler handler) override;
  Subscription on_path(PathHandler handler) override;
  Subscription on_member(MemberHandler handler) override;
  Subscription on_writable(WritableHandler handler) override;

  std::vector<PeerInfo> peers() override;
  std::vector<HubInfo> hubs() override;
  std::vector<MemberInfo> members() override;
  std::map<std::string, std::string> tags() override;
  Result<void, Error> change_tags(const std::map<std::string, std::string>& set,
                                  const std::vector<std::string>& del) override;
  std::optional<PathInfo> path(std::string_view peer) override;
  std::vector<Attempt> why(std::string_view peer) override;
  bool wait_online(Nanoseconds limit) override;

  void run() override { driver().run(); }
  void stop() override { driver().stop(); }
  int fd() const override { return shared_->driver->fd(); }
  std::optional<std::chrono::steady_clock::time_point> next_deadline() const override {
    return shared_->driver->next_deadline();
  }
  Result<void, Error> poll(std::chrono::steady_clock::time_point until) override {
    if (!shared_->driver->poll(until)) return Backend::poll(until);
    return {};
  }

 private:
  struct Shared {
    std::unique_ptr<Driver> driver;
    Dispatcher dispatcher;
  };
  Driver& driver() { return *shared_->driver; }
  template <class Add>
  Subscription subscribe(Add add);
  Request::Answer answer_to(const Id& from, std::uint64_t id) const;

  // Shared: a Subscription may end after, or while, its node does.
  std::shared_ptr<Shared> shared_;
  Id id_;
  std::string name_;
};

}  // namespace ginnel::api
