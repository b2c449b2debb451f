// The local daemon's node, behind the public Node: each call is a request to the control socket,
// each subscription a stream of it (runtime/control/README.md).
//
//   auto node = AttachedNode::attach(places.socket);
//
// Any thread. One thread per subscription and per call that is under way; handlers never two at
// once. When the daemon goes, calls fail with kNotRunning until it is back, and subscriptions come
// back by themselves (feed.h).
#pragma once
#include <condition_variable>
#include <filesystem>
#include <map>

#include "api/backend.h"
#include "runtime/attached/feed.h"

namespace ginnel::runtime {

class AttachedNode final : public api::Backend {
 public:
  // More at one time are refused: kWouldBlock for a call, and a subscription that never calls.
  static constexpr std::size_t kCallsMax = 64;
  static constexpr std::size_t kFeedsMax = 64;

  // Errors: kNotRunning (no daemon there), kPermission, kTimeout.
  static Result<std::unique_ptr<AttachedNode>, Error> attach(const std::filesystem::path& socket);
  ~AttachedNode() override;

  Id id() const override { return id_; }
  std::string name() const override { return name_; }

  Result<void, Error> send(std::string_view peer, std::string_view channel,
                           ConstBytes data) override;
  Result<void, Error> send_datagram(std::string_view peer, std::string_view channel,
                                    ConstBytes data) override;
  void send_acked(const std::vector<std::string>& peers, std::string_view channel, ConstBytes data,
                  Nanoseconds deadline, api::AckedDone done) override;
  void request(std::string_view peer, std::string_view channel, ConstBytes data,
               Nanoseconds deadline, api::RequestDone done) override;

  Subscription on_message(std::string_view channel, api::MessageHandler handler) override;
  Subscription on_request(std::string_view channel, api::RequestCallback handler) override;
  Subscription on_undelivered(api::UndeliveredHandler handler) override;
  Subscription on_path(api::PathHandler handler) override;
  Subscription on_member(api::MemberHandler handler) override;
  Subscription on_writable(api::WritableHandler handler) override;

  std::vector<PeerInfo> peers() override;
  std::vector<HubInfo> hubs() override;
  std::vector<MemberInfo> members() override;
  std::map<std::string, std::string> tags() override;
  Result<void, Error> change_tags(const std::map<std::string, std::string>& set,
                                  const std::vector<std::string>& del) override;
  std::optional<PathInfo> path(std::string_view peer) override;
  std::vector<Attempt> why(std::string_view peer) override;
  bool wait_online(Nanoseconds limit) override;
  void run() override;
  void stop() override;

 private:
  using Answered = std::function<void(Result<nlohmann::json, Error>)>;
  // What outlives the node: subscriptions and requests may.
  struct Shared {
    explicit Shared(std::filesystem::path socket)
        : link(std::make_shared<Link>(std::move(socket))) {}
    const std::shared_ptr<Link> link;
    std::mutex mutex;  // guards what follows
    std::condition_variable changed;
    std::size_t calls = 0;  // threads of call_behind()
    std::map<std::uint64_t, std::shared_ptr<Feed>> feeds;
    std::uint64_t next_feed = 1;
    bool stopped = false;
  };

  AttachedNode(std::shared_ptr<Shared> shared, io::Wakeup wakeup)
      : shared_(std::move(shared)), wakeup_(std::move(wakeup)) {}
  Result<void, Error> send_now(std::string_view peer, std::string_view channel, ConstBytes data,
                               bool datagram);
  // `done` is called as a handler is, once.
  void call_behind(control_api::Query query, Nanoseconds limit, Answered done);
  Subscription subscribe(control_api::Query query, Feed::OnLine on_line);
  Subscription watch(const char* event, Feed::OnLine handler);
  static void end_feed(Shared& shared, std::uint64_t number);

  const std::shared_ptr<Shared> shared_;
  const io::Wakeup wakeup_;  // ends the calls that are under way
  Id id_;
  std::string name_;
};

}  // namespace ginnel::runtime
