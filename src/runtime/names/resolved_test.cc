#include "runtime/names/resolved.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include <atomic>
#include <thread>

namespace ginnel::runtime {
namespace {

// The other end of a bus of two: notes each call as text, and answers it.
class PretendedResolved {
 public:
  explicit PretendedResolved(std::string refuses = "") : refuses_(std::move(refuses)) {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    client_ = open(pair[0], false);
    server_ = open(pair[1], true);
    sd_bus_add_filter(server_, nullptr, handle, this);
    thread_ = std::thread([this] {
      while (!done_) {
        const int number = sd_bus_process(server_, nullptr);
        if (number < 0) return;  // the other end is closed
        if (number == 0) sd_bus_wait(server_, 10'000);
      }
    });
  }
  ~PretendedResolved() { join(); }

  sd_bus* client() const { return client_; }  // Resolved takes it
  // What was called; ends the pretence.
  const std::vector<std::string>& calls() {
    join();
    return calls_;
  }

 private:
  static sd_bus* open(int fd, bool server) {
    sd_bus* bus = nullptr;
    sd_bus_new(&bus);
    sd_bus_set_fd(bus, fd, fd);
    sd_id128_t id{};
    id.bytes[0] = 1;
    if (server) sd_bus_set_server(bus, 1, id);
    sd_bus_set_anonymous(bus, 1);
    EXPECT_GE(sd_bus_start(bus), 0);
    return bus;
  }

  static int handle(sd_bus_message* m, void* self, sd_bus_error*) {
    // Not the signal Disconnected, which sd-bus itself gives when the other end goes first.
    if (!sd_bus_message_is_method_call(m, nullptr, nullptr)) return 0;
    const char* member = sd_bus_message_get_member(m);
    return static_cast<PretendedResolved*>(self)->note(m, member);
  }

  int note(sd_bus_message* m, const std::string& member) {
    std::string text = member + " " + sd_bus_message_get_signature(m, 1);
    int link = 0;
    sd_bus_message_read(m, "i", &link);
    text += " " + std::to_string(link);
    if (member == "SetLinkDNS") text += servers(m);
    if (member == "SetLinkDomains") text += domains(m);
    calls_.push_back(text);
    if (member == refuses_)
      return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED, "not you");
    return sd_bus_reply_method_return(m, "");
  }

  static std::string servers(sd_bus_message* m) {
    std::string out;
    sd_bus_message_enter_container(m, 'a', "(iay)");
    while (sd_bus_message_enter_container(m, 'r', "iay") > 0) {
      int family = 0;
      const void* bytes = nullptr;
      std::size_t size = 0;
      sd_bus_message_read(m, "i", &family);
      sd_bus_message_read_array(m, 'y', &bytes, &size);
      out += " " + std::to_string(family) + " " +
             to_hex(ConstBytes(static_cast<const std::byte*>(bytes), size));
      sd_bus_message_exit_container(m);
    }
    return out;
  }

  static std::string domains(sd_bus_message* m) {
    const char* domain = nullptr;
    int route_only = 1;
    sd_bus_message_read(m, "a(sb)", 1, &domain, &route_only);
    return std::string(" ") + (domain ? domain : "?") + (route_only ? " routed" : " searched");
  }

  void join() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    server_ = sd_bus_flush_close_unref(server_);
  }

  std::string refuses_;
  sd_bus* client_ = nullptr;
  sd_bus* server_ = nullptr;
  std::vector<std::string> calls_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

const LinkNames kNames{7, {Address::v4(10, 66, 0, 2)}, "home.ginnel.internal"};

TEST(Resolved, TellsServerAndDomainOfTheLinkAndTakesThemBack) {
  PretendedResolved pretended;
  {
    Resolved resolved(pretended.client());
    ASSERT_TRUE(resolved.set_link(kNames));
  }
  EXPECT_EQ(pretended.calls(),
            (std::vector<std::string>{"SetLinkDNS ia(iay) 7 2 0a420002",
                                      "SetLinkDomains ia(sb) 7 home.ginnel.internal searched",
                                      "SetLinkDefaultRoute ib 7", "RevertLink i 7"}));
}

TEST(Resolved, ARefusalIsAPermissionErrorAndLeavesTheLinkAsItWas) {
  PretendedResolved pretended("SetLinkDomains");
  {
    Resolved resolved(pretended.client());
    const auto done = resolved.set_link(kNames);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::kPermission);
    EXPECT_EQ(done.error().text, "systemd-resolved, SetLinkDomains: not you");
  }
  EXPECT_EQ(pretended.calls().back(), "RevertLink i 7");
  EXPECT_EQ(pretended.calls().size(), 3u);
}

TEST(Resolved, IsAskedWhereTheHostsResolverNamesIt) {
  EXPECT_TRUE(is_resolved_asked("# stub\nnameserver 127.0.0.53\n", ""));
  EXPECT_TRUE(is_resolved_asked("", "passwd: files\nhosts: files resolve [!UNAVAIL=return] dns\n"));
  EXPECT_FALSE(
      is_resolved_asked("nameserver 192.0.2.1\n#nameserver 127.0.0.53\n", "hosts: files dns\n"));
}

}  // namespace
}  // namespace ginnel::runtime
