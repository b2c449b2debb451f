// Members of a program, real ones on loopback and over a transport of their own.
#include <ginnel/memberlist.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace ginnel::gossip {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string text(const std::optional<Data>& data) {
  return data ? std::string(reinterpret_cast<const char*>(data->data()), data->size()) : "(none)";
}

// Virtual time cannot reach real sockets: what is looked for is looked for until it is there.
bool soon(const std::function<bool()>& holds, std::chrono::seconds limit = 20s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

MemberlistOptions named(std::string name) {
  MemberlistOptions out;
  out.name = std::move(name);
  out.bind = "127.0.0.1:0";
  out.preset = "local";
  return out;
}

TEST(Memberlist, TwoMembersMeetTalkAndShareData) {
  std::mutex mutex;
  std::multiset<std::string> heard;
  MemberlistOptions options = named("a");
  options.delegate.on_message = [&](const Data& data) {
    const std::lock_guard lock(mutex);
    heard.insert(text(data));
  };
  Memberlist a = Memberlist::create(options).value();
  Memberlist b = Memberlist::create(named("b")).value();
  ASSERT_EQ(b.join({a.address()}).value(), 1u);
  EXPECT_TRUE(soon([&] { return a.members().size() == 2 && b.get().size() == 2; }));
  ASSERT_TRUE(b.send_reliable("a", bytes("stream")));
  ASSERT_TRUE(b.send_best_effort("a", bytes("datagram")));
  EXPECT_TRUE(soon([&] {
    const std::lock_guard lock(mutex);
    return heard.contains("stream") && heard.contains("datagram");
  }));
  EXPECT_EQ(b.send_reliable("nobody", bytes("x")).error().code, Errc::kUnknownPeer);

  EXPECT_FALSE(b.read());
  ASSERT_TRUE(a.publish(bytes("blob")));
  EXPECT_TRUE(soon([&] { return text(b.read()) == "blob"; }));
  const std::string version = a.put("k", bytes("1"), "0").value();
  EXPECT_EQ(a.put("k", bytes("2"), "0").error().code, Errc::kChanged);
  EXPECT_TRUE(soon([&] { return text(b.value("k")) == "1"; }));
  ASSERT_TRUE(b.erase("k", version));
  EXPECT_TRUE(soon([&] { return !a.value("k"); }));
  EXPECT_EQ(a.erase("k").error().code, Errc::kUnknownKey);

  ASSERT_TRUE(a.update_node(bytes("meta")));
  EXPECT_TRUE(soon([&] { return text(b.members()[0].meta) == "meta"; }));
  ASSERT_TRUE(b.leave());
  EXPECT_TRUE(soon([&] { return a.members().size() == 1; }));
  EXPECT_EQ(a.all_members()[1].state, MemberState::kLeft);
}

// pekonode: Set a seed, Stop and Start the own heartbeats.
TEST(Memberlist, ASeedIsJoinedAndAStoppedMemberFailsUntilItStarts) {
  Memberlist a = Memberlist::create(named("a")).value();
  Memberlist b = Memberlist::create(named("b")).value();
  ASSERT_TRUE(b.set(a.address()));
  ASSERT_TRUE(soon([&] { return a.members().size() == 2; }));
  b.stop();
  EXPECT_TRUE(soon([&] { return a.members().size() == 1; }, 40s));
  b.start();
  EXPECT_TRUE(soon([&] { return a.members().size() == 2; }));
}

TEST(Memberlist, TwoMembersMeetTalkAndPartOverTcpAlone) {
  std::atomic<int> heard = 0;
  MemberlistOptions options = named("a");
  options.protocol = "tcp";
  options.delegate.on_message = [&](const Data&) { ++heard; };
  Memberlist a = Memberlist::create(options).value();
  options.name = "b";
  options.delegate = {};
  Memberlist b = Memberlist::create(options).value();
  ASSERT_EQ(b.join({a.address()}).value(), 1u);
  ASSERT_TRUE(soon([&] { return a.members().size() == 2; }));
  ASSERT_TRUE(b.send_best_effort("a", bytes("a datagram")));
  ASSERT_TRUE(b.broadcast(bytes("a rumor")));
  EXPECT_TRUE(soon([&] { return heard == 2; }));
  ASSERT_TRUE(b.leave());
  EXPECT_TRUE(soon([&] { return a.members().size() == 1; }));
}

TEST(Memberlist, AnUnknownProtocolIsAUsageError) {
  MemberlistOptions options = named("a");
  options.protocol = "sctp";
  EXPECT_EQ(Memberlist::create(options).error().code, Errc::kUsage);
}

TEST(Memberlist, ANewcomerMayBeForbidden) {
  MemberlistOptions options = named("a");
  options.delegate.accept_alive = [](const MemberRow& row) { return row.name != "b"; };
  Memberlist a = Memberlist::create(options).value();
  Memberlist b = Memberlist::create(named("b")).value();
  (void)b.join({a.address()});
  Memberlist c = Memberlist::create(named("c")).value();
  ASSERT_TRUE(c.join({a.address()}));
  EXPECT_TRUE(soon([&] { return a.members().size() == 2; }));
  EXPECT_EQ(a.members()[1].name, "c");
}

TEST(Memberlist, NobodyThereIsAnErrorAndSoIsACallAfterShutdown) {
  Memberlist a = Memberlist::create(named("a")).value();
  EXPECT_FALSE(a.join({"127.0.0.1:1"}, 3s));
  a.shutdown();
  EXPECT_EQ(a.update_node(bytes("m")).error().code, Errc::kClosed);
  EXPECT_TRUE(a.members().empty());
}

// All ends of a network within this program: what is sent is told to the other end at once.
class Switch {
 public:
  class Port final : public Transport {
   public:
    Port(Switch& hub, std::string address) : hub_(hub), address_(std::move(address)) {}
    std::string address() const override { return address_; }
    Result<void, Error> start(Receiver& receiver) override {
      const std::lock_guard lock(hub_.mutex_);
      hub_.receivers_[address_] = &receiver;
      return {};
    }
    void stop() override {
      const std::lock_guard lock(hub_.mutex_);
      hub_.receivers_.erase(address_);
    }
    void send(const std::string& to, std::span<const std::byte> datagram) override {
      const std::lock_guard lock(hub_.mutex_);
      if (auto* r = hub_.at(to)) r->on_datagram(address_, Data(datagram.begin(), datagram.end()));
    }
    Stream dial(const std::string& to) override {
      const std::lock_guard lock(hub_.mutex_);
      const Stream mine = ++hub_.streams_;
      const Stream theirs = ++hub_.streams_;
      auto* r = hub_.at(to);
      if (r == nullptr) {
        hub_.at(address_)->on_closed(mine, true);
        return mine;
      }
      hub_.peers_[mine] = {to, theirs};
      hub_.peers_[theirs] = {address_, mine};
      r->on_accepted(theirs, address_);
      return mine;
    }
    void write(Stream stream, std::span<const std::byte> data) override {
      const std::lock_guard lock(hub_.mutex_);
      const auto it = hub_.peers_.find(stream);
      auto* r = it == hub_.peers_.end() ? nullptr : hub_.at(it->second.first);
      if (r != nullptr) r->on_data(it->second.second, Data(data.begin(), data.end()));
    }
    void close(Stream stream) override {
      const std::lock_guard lock(hub_.mutex_);
      const auto it = hub_.peers_.find(stream);
      if (it == hub_.peers_.end()) return;
      const auto [to, theirs] = it->second;
      hub_.peers_.erase(it);
      if (hub_.peers_.erase(theirs) == 0) return;
      if (auto* r = hub_.at(to)) r->on_closed(theirs, false);
    }

   private:
    Switch& hub_;
    std::string address_;
  };

 private:
  Transport::Receiver* at(const std::string& address) {
    const auto it = receivers_.find(address);
    return it == receivers_.end() ? nullptr : it->second;
  }
  std::mutex mutex_;
  std::map<std::string, Transport::Receiver*> receivers_;
  std::map<Transport::Stream, std::pair<std::string, Transport::Stream>> peers_;
  Transport::Stream streams_ = 0;
};

TEST(Memberlist, WorksOverATransportOfTheProgram) {
  Switch network;
  const auto over = [&](const char* name, const char* address) {
    MemberlistOptions options = named(name);
    options.transport = std::make_shared<Switch::Port>(network, address);
    return Memberlist::create(options).value();
  };
  Memberlist a = over("a", "10.0.0.1:7946");
  Memberlist b = over("b", "10.0.0.2:7946");
  ASSERT_EQ(b.join({"10.0.0.1:7946"}).value(), 1u);
  EXPECT_TRUE(soon([&] { return a.members().size() == 2; }));
  const std::string big(300'000, 'v');
  ASSERT_TRUE(a.put("big", bytes(big)));
  EXPECT_TRUE(soon([&] { return text(b.value("big")) == big; }));
  EXPECT_FALSE(b.join({"10.0.0.9:7946"}, 5s));
}

}  // namespace
}  // namespace ginnel::gossip
