#include "runtime/host/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ginnel::host {
namespace {

using testing::HasSubstr;

const Daemon kNoDaemon;
const Daemon kDaemonWithTun = DaemonView{.tun = true, .listen = "udp://[::]:7700"};

NodeFacts a_node() {
  NodeFacts out;
  out.joined = true;
  out.cidr = *Prefix::parse("10.66.0.0/16");
  out.addresses = {"10.66.0.2"};
  out.hubs = {{"hub-a", {"203.0.113.9:7700"}, {*Endpoint::parse("203.0.113.9:7700")}}};
  return out;
}
HostFacts a_host() {
  HostFacts out;
  out.net_admin = true;
  out.rmem_max = 8 << 20;
  out.ip_forward = 0;
  out.filters = {{"all", 0}, {"eth0", 2}};
  out.network.emplace();
  out.network->interfaces = {
      {.index = io::InterfaceIndex(2), .name = "eth0", .mtu_bytes = 1500, .up = true}};
  return out;
}
Survey a_survey() {
  Survey out;
  ProbeFinding& finding = out.hubs.emplace_back("hub-a", ProbeFinding{}).finding;
  finding.endpoint = *Endpoint::parse("203.0.113.9:7700");
  finding.rtt = 20ms;
  finding.clock_ahead = 0s;
  finding.mtu_bytes = finding.mtu_tried_bytes = 1500;
  return out;
}
void give(HostFacts& host, const char* address, std::uint8_t length) {
  host.network->addresses.push_back({.index = io::InterfaceIndex(2),
                                     .address = *Address::parse(address),
                                     .length = length});
}

TEST(Checks, AHostWithNoFaultPassesEveryOne) {
  const HostFacts host = a_host();
  const NodeFacts node = a_node();
  const Survey survey = a_survey();
  for (const Check& check :
       {check_config(node), check_identity(node, kNoDaemon), check_files(node),
        check_tun(host, node, kNoDaemon), check_capability(host, node, kNoDaemon),
        check_range(host, node, kNoDaemon), check_reverse_path(host), check_forwarding(host),
        check_buffers(host), check_port(node, kNoDaemon, {}),
        check_hosts_file(host, node, kNoDaemon), check_hubs(node, survey), check_clock(survey),
        check_path_mtu(survey)}) {
    EXPECT_EQ(check.severity, Severity::kOk) << check.code << ": " << check.text;
    EXPECT_EQ(check.fix, "") << check.code;
    EXPECT_NE(check.text, "") << check.code;
  }
}
TEST(Checks, AMissingTunIsAWarningUnlessTheFileWantsOne) {
  HostFacts host = a_host();
  NodeFacts node = a_node();
  host.tun_error = Error{Errc::kNoTun, "open /dev/net/tun: No such file", "modprobe tun"};
  const Check warned = check_tun(host, node, kNoDaemon);
  EXPECT_EQ(warned.severity, Severity::kWarning);
  EXPECT_THAT(warned.text, HasSubstr("/dev/net/tun"));
  EXPECT_THAT(warned.fix, HasSubstr("modprobe tun"));
  node.config.tun.enable = config::TunEnable::kYes;
  EXPECT_EQ(check_tun(host, node, kNoDaemon).severity, Severity::kError);
  node.config.tun.enable = config::TunEnable::kNo;
  EXPECT_EQ(check_tun(host, node, kNoDaemon).severity, Severity::kOk);
}
TEST(Checks, AMissingCapabilityMattersToWhoHasNoTunYet) {
  HostFacts host = a_host();
  host.net_admin = false;
  EXPECT_THAT(check_capability(host, a_node(), kNoDaemon).fix, HasSubstr("setcap"));
  EXPECT_EQ(check_capability(host, a_node(), kDaemonWithTun).severity, Severity::kOk);
}
TEST(Checks, ARangeInUseNamesTheRangeAndItsInterface) {
  HostFacts host = a_host();
  give(host, "10.66.7.1", 120);
  const Check check = check_range(host, a_node(), kNoDaemon);
  EXPECT_EQ(check.severity, Severity::kError);
  EXPECT_THAT(check.text, HasSubstr("10.66.7.0/24"));
  EXPECT_THAT(check.text, HasSubstr("eth0"));
}
TEST(Checks, TheDaemonsOwnDeviceIsNoClash) {
  HostFacts host = a_host();
  give(host, "10.66.0.2", 112);
  EXPECT_EQ(check_range(host, a_node(), kDaemonWithTun).severity, Severity::kOk);
  EXPECT_EQ(check_range(host, a_node(), kNoDaemon).severity, Severity::kError);
}
// ip-sysctl: "The max value from conf/{all,interface}/rp_filter is used".
TEST(Checks, StrictReversePathCountsByTheGreaterOfAllAndTheInterface) {
  HostFacts host = a_host();
  host.filters = {{"all", 1}, {"eth0", 0}, {"eth1", 2}};
  const Check check = check_reverse_path(host);
  EXPECT_EQ(check.severity, Severity::kWarning);
  EXPECT_THAT(check.text, HasSubstr("strict on eth0:"));
  host.filters = {{"all", 2}, {"eth0", 1}};
  EXPECT_EQ(check_reverse_path(host).severity, Severity::kOk);
}
TEST(Checks, BuffersAreJudgedByTheLimitOfFourMebibytes) {
  HostFacts host = a_host();
  host.rmem_max = kReceiveMaxWanted;
  EXPECT_EQ(check_buffers(host).severity, Severity::kOk);
  host.rmem_max = 212992;
  const Check check = check_buffers(host);
  EXPECT_EQ(check.severity, Severity::kWarning);
  EXPECT_THAT(check.text, HasSubstr("208 KiB"));
  EXPECT_THAT(check.fix, HasSubstr("net.core.rmem_max=8388608"));
}
TEST(Checks, ATakenPortIsAnErrorWhereNoOtherWillDo) {
  NodeFacts node = a_node();
  const Error busy{Errc::kPortBusy, "port 7700 is in use by nc (pid 7)", "stop it"};
  EXPECT_EQ(check_port(node, kNoDaemon, busy).severity, Severity::kWarning);
  node.config.hub.emplace();
  const Check check = check_port(node, kNoDaemon, busy);
  EXPECT_EQ(check.severity, Severity::kError);
  EXPECT_THAT(check.text, HasSubstr("nc (pid 7)"));
}
TEST(Checks, AReadOnlyHostsFileMattersOnlyWhereNamesAreWritten) {
  HostFacts host = a_host();
  NodeFacts node = a_node();
  host.hosts_trouble = "Read-only file system";
  EXPECT_EQ(check_hosts_file(host, node, kNoDaemon).severity, Severity::kWarning);
  node.config.dns.names = false;
  EXPECT_EQ(check_hosts_file(host, node, kNoDaemon).severity, Severity::kOk);
}
TEST(Checks, SilenceOfEveryHubIsAnErrorAndOfOneAWarning) {
  Survey survey = a_survey();
  survey.hubs.push_back({"hub-b", {.endpoint = *Endpoint::parse("203.0.113.8:7700")}});
  const Check one = check_hubs(a_node(), survey);
  EXPECT_EQ(one.severity, Severity::kWarning);
  EXPECT_THAT(one.text, HasSubstr("hub-b (203.0.113.8:7700)"));
  survey.hubs.erase(survey.hubs.begin());
  EXPECT_EQ(check_hubs(a_node(), survey).severity, Severity::kError);
  survey.hubs.front().finding.trouble = SendTrouble::kRefused;
  EXPECT_THAT(check_hubs(a_node(), survey).text, HasSubstr("firewall of this host"));
}
TEST(Checks, AClockOffByAnHourIsAnErrorAndSaysWhichWay) {
  Survey survey = a_survey();
  survey.hubs.front().finding.clock_ahead = 3600s;
  EXPECT_EQ(check_clock(survey).severity, Severity::kError);
  EXPECT_THAT(check_clock(survey).text, HasSubstr("60 min behind the hub's"));
  survey.hubs.front().finding.clock_ahead = -60s;
  EXPECT_EQ(check_clock(survey).severity, Severity::kWarning);
  EXPECT_THAT(check_clock(survey).text, HasSubstr("60 s ahead of the hub's"));
}
TEST(Checks, ABlackHoleNamesItsSize) {
  Survey survey = a_survey();
  survey.hubs.front().finding.mtu_bytes = 1400;
  const Check check = check_path_mtu(survey);
  EXPECT_EQ(check.severity, Severity::kWarning);
  EXPECT_THAT(check.text, HasSubstr("above 1400 bytes"));
  survey.hubs.front().finding.trouble = SendTrouble::kTooBig;
  EXPECT_EQ(check_path_mtu(survey).severity, Severity::kOk);
}
TEST(Checks, FilesThatOthersCanReadAreNamed) {
  NodeFacts node = a_node();
  node.loose = {{"/x/state/identity.key", 0644, 0600}};
  EXPECT_THAT(check_files(node).text, HasSubstr("/x/state/identity.key"));
  EXPECT_EQ(check_files(node).severity, Severity::kError);
}

}  // namespace
}  // namespace ginnel::host
