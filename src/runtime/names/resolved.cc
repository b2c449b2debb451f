#include "runtime/names/resolved.h"

#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <cstring>

namespace ginnel::runtime {
namespace {

constexpr const char* kService = "org.freedesktop.resolve1";
constexpr const char* kPath = "/org/freedesktop/resolve1";
constexpr const char* kManager = "org.freedesktop.resolve1.Manager";

class Message {
 public:
  Message(sd_bus* bus, const char* method) : bus_(bus), method_(method) {
    number_ = sd_bus_message_new_method_call(bus, &message_, kService, kPath, kManager, method);
  }
  ~Message() { sd_bus_message_unref(message_); }
  Message(const Message&) = delete;

  // Runs one sd_bus_message_… call unless an earlier one failed.
  template <class Append>
  Message& then(Append append) {
    if (number_ >= 0) number_ = append(message_);
    return *this;
  }
  Result<void, Error> call();

 private:
  sd_bus* bus_;
  std::string method_;
  sd_bus_message* message_ = nullptr;
  int number_ = 0;
};

Result<void, Error> Message::call() {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  if (number_ >= 0) {
    const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(Resolved::kAnswerMax);
    number_ =
        sd_bus_call(bus_, message_, static_cast<std::uint64_t>(limit.count()), &error, nullptr);
  }
  if (number_ >= 0) return {};
  const bool denied =
      sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED) != 0 ||
      sd_bus_error_has_name(&error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
  const std::string why = error.message ? error.message : std::strerror(-number_);
  sd_bus_error_free(&error);
  return Fail(Error{denied ? Errc::kPermission : Errc::kInternal,
                    "systemd-resolved, " + method_ + ": " + why, "resolvectl status"});
}

int append_server(sd_bus_message* m, const Address& address) {
  const bool v4 = address.is_v4();
  const std::uint8_t* bytes = address.bytes.data() + (v4 ? 12 : 0);
  int number = sd_bus_message_open_container(m, 'r', "iay");
  if (number >= 0) number = sd_bus_message_append(m, "i", v4 ? AF_INET : AF_INET6);
  if (number >= 0) number = sd_bus_message_append_array(m, 'y', bytes, v4 ? 4 : 16);
  return number < 0 ? number : sd_bus_message_close_container(m);
}

int append_servers(sd_bus_message* m, const std::vector<Address>& servers) {
  int number = sd_bus_message_open_container(m, 'a', "(iay)");
  for (const Address& server : servers) {
    if (number >= 0) number = append_server(m, server);
  }
  return number < 0 ? number : sd_bus_message_close_container(m);
}

bool has_owner(sd_bus* bus) {
  sd_bus_message* reply = nullptr;
  int owned = 0;
  int number =
      sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                         "org.freedesktop.DBus", "NameHasOwner", nullptr, &reply, "s", kService);
  if (number >= 0) number = sd_bus_message_read(reply, "b", &owned);
  sd_bus_message_unref(reply);
  return number >= 0 && owned != 0;
}

}  // namespace

Result<std::unique_ptr<Resolved>, Error> Resolved::connect() {
  sd_bus* bus = nullptr;
  const int number = sd_bus_open_system(&bus);
  const Error none{Errc::kNotRunning, "systemd-resolved does not run", "names are in /etc/hosts"};
  if (number < 0) return Fail(none);
  auto out = std::make_unique<Resolved>(bus);
  if (!has_owner(bus)) return Fail(none);
  return out;
}

Resolved::~Resolved() {
  revert();
  sd_bus_flush_close_unref(bus_);
}

Result<void, Error> Resolved::set_link(const LinkNames& names) {
  link_ = names.link;
  Result<void, Error> done = set_servers(names);
  if (done) done = set_domains(names);
  if (done) done = set_default_route(names.link);
  if (!done) revert();
  return done;
}

Result<void, Error> Resolved::set_servers(const LinkNames& names) {
  return Message(bus_, "SetLinkDNS")
      .then([&](auto* m) { return sd_bus_message_append(m, "i", static_cast<int>(names.link)); })
      .then([&](auto* m) { return append_servers(m, names.servers); })
      .call();
}

// "b": whether names are only sent there, and not searched in it; false gives both.
Result<void, Error> Resolved::set_domains(const LinkNames& names) {
  return Message(bus_, "SetLinkDomains")
      .then([&](auto* m) {
        return sd_bus_message_append(m, "ia(sb)", static_cast<int>(names.link), 1,
                                     names.domain.c_str(), 0);
      })
      .call();
}

// Other names are no business of ours.
Result<void, Error> Resolved::set_default_route(std::uint32_t link) {
  return Message(bus_, "SetLinkDefaultRoute")
      .then([&](auto* m) { return sd_bus_message_append(m, "ib", static_cast<int>(link), 0); })
      .call();
}

void Resolved::revert() {
  if (link_ == 0) return;
  const int link = static_cast<int>(std::exchange(link_, 0u));
  (void)Message(bus_, "RevertLink")
      .then([&](auto* m) { return sd_bus_message_append(m, "i", link); })
      .call();
}

bool is_resolved_asked(std::string_view resolv_conf, std::string_view nsswitch_conf) {
  const auto lines_with = [](std::string_view text, std::string_view key, std::string_view word) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view line = text.substr(at, end - at);
      if (line.starts_with(key) && line.find(word) != std::string_view::npos) return true;
      at = end + 1;
    }
    return false;
  };
  return lines_with(resolv_conf, "nameserver", "127.0.0.53") ||
         lines_with(resolv_conf, "nameserver", "127.0.0.54") ||
         lines_with(nsswitch_conf, "hosts:", "resolve");
}

}  // namespace ginnel::runtime
