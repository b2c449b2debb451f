// Whole command lines against a daemon that the test plays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/base64.h"
#include "cli/document.h"
#include "cli/run.h"
#include "crypto/dh.h"
#include "runtime/control/error_document.h"
#include "runtime/control/server.h"

namespace ginnel::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string golden_file(const std::string& name) {
  std::ifstream in(GINNEL_TESTDATA "/" + name);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator(in), {}};
}

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

class Verbs : public testing::Test {
 protected:
  Verbs() {
    std::string name = "/tmp/ginnel-verbs-" + std::to_string(getpid()) + "-XXXXXX";
    dir_ = mkdtemp(name.data());
  }
  ~Verbs() override {
    server_.reset();
    std::filesystem::remove_all(dir_);
  }

  Ran ginnel(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), {"--dir", dir_.string()});
    return bare(words, input);
  }
  Ran bare(const std::vector<std::string>& words, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out, err;
    Context context{in, out, err};
    context.get_environment = [this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    };
    const int exit = run(context, words);
    return {exit, out.str(), err.str()};
  }

  // The daemon answers each target with this text, or an error.
  void serve(control_api::Handler handler) {
    server_ = control_api::Server::listen(dir_ / "ginnel.sock", std::move(handler)).value();
  }
  void answer(const std::string& body) {
    serve([this, body](const control_api::Request& r, const control_api::Responder& responder) {
      note(r);
      responder.ok(body);
    });
  }
  void refuse(const Error& error) {
    serve([error](const control_api::Request&, const control_api::Responder& responder) {
      responder.answer(control_api::http_status(error.code), control_api::error_document(error));
    });
  }
  void note(const control_api::Request& r) {
    const std::lock_guard lock(mutex_);
    asked_ += r.method + " " + r.target + (r.body.empty() ? "" : " " + r.body) + "\n";
  }
  std::string asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ / name) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream in(dir_ / name);
    return {std::istreambuf_iterator(in), {}};
  }

  std::filesystem::path dir_;
  std::map<std::string, std::string, std::less<>> environment_;
  std::unique_ptr<control_api::Server> server_;
  std::mutex mutex_;
  std::string asked_;
};

// docs/cli.md: `ginnel: WHAT FAILED: WHY [E_CODE]`, then `  -> WHAT TO DO NEXT`.
TEST_F(Verbs, AnErrorIsTwoLines) {
  const Ran ran = ginnel({"status"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "ginnel: status: " + (dir_ / "ginnel.sock").string() +
                         ": no daemon is running [E_NOT_RUNNING]\n  -> ginnel --dir " + dir_.string() +
                         " up\n");
}
TEST_F(Verbs, WithJsonAnErrorIsOneDocument) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--json", "status"}, {"status", "--json"}}) {
    const Ran ran = ginnel(words);
    EXPECT_EQ(ran.exit, 3);
    EXPECT_EQ(ran.out, "");
    const Json error = child(parse_document(ran.err), "error");
    EXPECT_EQ(text_at(error, "code"), "E_NOT_RUNNING");
    EXPECT_EQ(number_at(error, "exit"), 3);
  }
  EXPECT_EQ(ginnel({"stauts", "--json"}).err.substr(0, 7), "{\"v\":1,");
}
TEST_F(Verbs, EveryVerbThatNeedsTheDaemonExitsWithThreeWithoutOne) {
  const std::vector<std::vector<std::string>> lines = {{"invite"},
                                                       {"down"},
                                                       {"leave"},
                                                       {"status"},
                                                       {"peers"},
                                                       {"hubs"},
                                                       {"ping", "bob"},
                                                       {"why", "bob"},
                                                       {"msg", "bob", "x"},
                                                       {"sub"},
                                                       {"req", "bob", "c", "x"},
                                                       {"reply", "c", "--", "cat"},
                                                       {"revoke", "bob"},
                                                       {"wg", "show"},
                                                       {"wg", "export", "p"},
                                                       {"config", "reload"},
                                                       {"wait"}};
  for (const auto& words : lines) {
    const Ran ran = ginnel(words);
    EXPECT_EQ(ran.exit, 3) << words[0];
    EXPECT_EQ(ran.out, "") << words[0];
  }
}
// docs/cli.md: "writes the reply's bytes unchanged to standard output".
TEST_F(Verbs, AReplyIsPrintedUnchanged) {
  answer(R"({"v":1,"from":{"id":"C1","name":"bob"},"data_b64":"/wAK"})");
  const Ran ran = ginnel({"req", "bob", "sum", "-"}, "1 2\n");
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, std::string("\xff\0\n", 3));
  EXPECT_EQ(asked(),
            "POST /v1/req "
            R"({"peer":"bob","channel":"sum","timeout":10.0,"data":"1 2\n"})"
            "\n");
}

TEST_F(Verbs, AFailedReplyIsAnErrorAndPrintsNothing) {
  refuse({Errc::kReplyFailed, "the program that replies on bob failed", ""});
  const Ran ran = ginnel({"req", "bob", "sum", "x"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("[E_REPLY_FAILED]"));
}

TEST_F(Verbs, ReplyRunsItsCommandForEachRequestAndAnswers) {
  serve([this](const control_api::Request& r, const control_api::Responder& responder) {
    note(r);
    if (r.target == "/v1/reply") return responder.ok(R"({"v":1})");
    responder.write_line(R"({"v":1,"request":7,"from":{"id":"C1","name":"al"},"data":"hi"})");
    responder.write_line(R"({"v":1,"request":8,"from":{"id":"C1","name":"al"},"data":"no"})");
    responder.finish();
  });
  const Ran ran = ginnel({"reply", "c", "--", "sh", "-c",
                          "read x; test \"$x\" = hi || exit 1; echo $GINNEL_FROM_NAME"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(asked(), StartsWith("POST /v1/replier {\"channel\":\"c\",\"jobs\":8}\n"));
  EXPECT_THAT(asked(), HasSubstr(R"({"request":7,"failed":false,"data_b64":"YWwK"})"));
  EXPECT_THAT(asked(), HasSubstr(R"({"request":8,"failed":true,"data_b64":""})"));
  EXPECT_THAT(ran.err, HasSubstr("sh: exit 1"));
}

TEST_F(Verbs, UsageErrorsExitWithTwo) {
  const std::vector<std::vector<std::string>> lines = {{"stauts"},
                                                       {"status", "--chek"},
                                                       {"bench"},
                                                       {"ping"},
                                                       {"ping", "b", "-c", "0"},
                                                       {"ping", "b", "-c", "x"},
                                                       {"ping", "b", "-i", "soon"},
                                                       {"ping", "b", "--size", "1441"},
                                                       {"msg", "b"},
                                                       {"req", "b", "c"},
                                                       {"req", "b", "c", "x", "--timeout", "x"},
                                                       {"reply", "c"},
                                                       {"reply", "c", "--jobs", "0", "--", "cat"},
                                                       {"msg", "b", "x", "--timeout", "x"},
                                                       {"invite", "--ttl", "x"},
                                                       {"invite", "--ttl", "0"},
                                                       {"invite", "--uses", "0"},
                                                       {"invite", "--tag", "x"},
                                                       {"init", "--hub", "--name", "a b"},
                                                       {"init", "--hub", "--name", "Bob"},
                                                       {"init", "--listen", "x"},
                                                       {"init", "--hub", "--cidr", "fd00::/8"},
                                                       {"init"},
                                                       {"wait", "--for", "sunshine"},
                                                       {"wait", "--for", "direct"},
                                                       {"help", "nothing-like-it"},
                                                       {"join"},
                                                       {"config"},
                                                       {"sub", "-n", "0"}};
  for (const auto& words : lines) {
    const Ran ran = ginnel(words);
    EXPECT_EQ(ran.exit, 2) << words[0] << " " << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("[E_USAGE]\n  -> "));
  }
  EXPECT_EQ(bare({}).exit, 2);
}
TEST_F(Verbs, TheDaemonsErrorAndItsExitComeThrough) {
  const std::map<Errc, int> exits = {{Errc::kUnknownPeer, 5}, {Errc::kNotAHub, 1},
                                     {Errc::kTimeout, 6},     {Errc::kSharedSecret, 1},
                                     {Errc::kNotMaster, 9},   {Errc::kPermission, 4}};
  for (const auto& [code, exit] : exits) {
    refuse({code, "revoke bob: why", "next"});
    const Ran ran = ginnel({"revoke", "bob"});
    EXPECT_EQ(ran.exit, exit);
    EXPECT_EQ(ran.err,
              "ginnel: revoke bob: why [" + std::string(code_name(code)) + "]\n  -> next\n");
    server_.reset();
  }
}
TEST_F(Verbs, JsonIsTheDaemonsDocumentAsItCame) {
  answer(R"({"v":1,  "odd" : "spacing"})");
  for (const char* verb : {"status", "peers", "hubs"})
    EXPECT_EQ(ginnel({verb, "--json"}).out, "{\"v\":1,  \"odd\" : \"spacing\"}\n");
  EXPECT_EQ(asked(), "GET /v1/status\nGET /v1/peers\nGET /v1/hubs\n");
}
TEST_F(Verbs, StatusOfOnePeerAndOfNone) {
  answer(R"({"v":1,"peers":[{"id":"C1","name":"bob","state":"online"}],"health":[]})");
  EXPECT_THAT(ginnel({"status", "bob"}).out, HasSubstr("\nbob   -        online"));
  EXPECT_EQ(ginnel({"status", "C1", "--json"}).out,
            "{\"v\":1,\"peer\":{\"id\":\"C1\",\"name\":\"bob\",\"state\":\"online\"}}\n");
  EXPECT_EQ(ginnel({"status", "eve"}).exit, 5);
}
// docs/cli.md: "`--check` exits 8 when degraded".
TEST_F(Verbs, StatusCheckExitsWithEightWhenDegraded) {
  answer(R"({"v":1,"peers":[],"health":[{"severity":"warning","text":"x","fix":"y"}]})");
  EXPECT_EQ(ginnel({"status"}).exit, 0);
  EXPECT_EQ(ginnel({"status", "--check"}).exit, 8);
  server_.reset();
  answer(R"({"v":1,"peers":[],"health":[{"severity":"info","text":"x","fix":"y"}]})");
  EXPECT_EQ(ginnel({"status", "--check"}).exit, 0);
}
TEST_F(Verbs, InvitePrintsTheTokenAlone) {
  answer(R"({"v":1,"token":"ginnel1-abc","expires":"2026-01-02T03:04:05Z"})");
  const Ran ran = ginnel({"invite", "--hub", "--ttl", "2h", "--uses", "3", "--tag", "k=v"});
  EXPECT_EQ(ran.out, "ginnel1-abc\n");
  EXPECT_EQ(asked(),
            "POST /v1/invite {\"hub\":true,\"ttl\":7200.0,\"uses\":3,"
            "\"tags\":{\"k\":\"v\"}}\n");
}

const char* const kPong = R"({"v":1,"seq":1,"peer":{"name":"bob","address":"10.66.0.3"},)"
                          R"("path":{"kind":"relay-udp","via":"hub-a","reason":"R_SYMMETRIC_NAT"},)"
                          R"("rtt":0.01})";
const char* const kDirectPong = R"({"v":1,"seq":2,"peer":{"name":"bob","address":"10.66.0.3"},)"
                                R"("path":{"kind":"punched","endpoint":"1.2.3.4:5"},"rtt":0.01})";
const char* const kNoPong = R"({"v":1,"seq":3,"peer":{"name":"bob"},"rtt":null})";

control_api::Handler lines(std::vector<std::string> texts) {
  return [texts](const control_api::Request&, const control_api::Responder& responder) {
    for (const std::string& text : texts) responder.write_line(text);
    responder.finish();
  };
}
TEST_F(Verbs, PingExitsWithZeroWhenOneAnswerCame) {
  serve(lines({kNoPong, kPong}));
  const Ran ran = ginnel({"ping", "bob", "-c", "2"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out,
            "no answer from bob (seq 3)\n"
            "pong from bob (10.66.0.3) via relay-udp hub-a in 10.0 ms\n");
}
TEST_F(Verbs, PingExitsWithSixWhenNoneCame) {
  serve(lines({kNoPong}));
  EXPECT_EQ(ginnel({"ping", "bob", "-c", "1"}).exit, 6);
}
TEST_F(Verbs, PingUntilDirectEndsAtTheFirstDirectPong) {
  serve(lines({kPong, kDirectPong, kPong}));
  const Ran ran = ginnel({"ping", "bob", "--until-direct"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, testing::EndsWith("via punched udp4 1.2.3.4:5 in 10.0 ms\n"));
}
TEST_F(Verbs, PingUntilDirectSaysWhyItNeverWas) {
  serve(lines({kPong, kPong}));
  const Ran ran = ginnel({"ping", "bob", "--until-direct"});
  EXPECT_EQ(ran.exit, 6);
  EXPECT_THAT(ran.err, HasSubstr("ping bob: no direct path: symmetric NAT [E_UNREACHABLE]"));
}
TEST_F(Verbs, PingUntilDirectTriesTenTimesByDefault) {
  serve([this](const control_api::Request& r, const control_api::Responder& responder) {
    note(r);
    responder.finish();
  });
  ginnel({"ping", "bob", "--until-direct"});
  ginnel({"ping", "bob"});
  EXPECT_EQ(asked(),
            "POST /v1/ping {\"peer\":\"bob\",\"interval\":1.0,\"until_direct\":true,"
            "\"count\":10}\n"
            "POST /v1/ping {\"peer\":\"bob\",\"interval\":1.0,\"until_direct\":false}\n");
}

TEST_F(Verbs, MsgSendsOneMessage) {
  answer(R"({"v":1,"failed":[]})");
  const Ran ran = ginnel({"msg", "bob", "hi", "--channel", "c", "--ack"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(asked(),
            "POST /v1/msg {\"peers\":[\"bob\"],\"channel\":\"c\",\"ack\":true,"
            "\"data\":\"hi\"}\n");
}
TEST_F(Verbs, MsgSendsEachLineOfStandardInputInOrder) {
  answer(R"({"v":1,"failed":[]})");
  EXPECT_EQ(ginnel({"msg", "bob", "-"}, "one\n\nthree").exit, 0);
  EXPECT_THAT(asked(), testing::ContainsRegex("\"one\".*\n.*\"data\":\"\"}\n.*\"three\""));
}
TEST_F(Verbs, MsgToSeveralPrintsThoseThatFailed) {
  answer(R"({"v":1,"failed":[{"peer":"eve","code":"E_UNKNOWN_PEER","text":"no such peer"}]})");
  const Ran ran = ginnel({"msg", "bob", "eve", "hi"});
  EXPECT_EQ(ran.exit, 6);
  EXPECT_EQ(ran.out, "eve E_UNKNOWN_PEER no such peer\n");
  // `msg bob chat hello`: what was meant was a channel.
  EXPECT_EQ(ran.err, "  -> if eve is a channel: --channel eve\n");
}
TEST_F(Verbs, MsgToOneThatFailsIsAnError) {
  answer(R"({"v":1,"failed":[{"peer":"eve","code":"E_UNKNOWN_PEER","text":"no such peer"}]})");
  const Ran ran = ginnel({"msg", "eve", "hi"});
  EXPECT_EQ(ran.exit, 5);
  EXPECT_THAT(ran.err, StartsWith("ginnel: msg eve: no such peer [E_UNKNOWN_PEER]\n"));
}
TEST_F(Verbs, SubPrintsMessagesAndEndsAfterN) {
  serve(lines({R"({"v":1,"from":{"id":"C1","name":"bob"},"channel":"c","data":"hi"})",
               R"({"v":1,"from":{"id":"C2","name":""},"channel":"c","data_b64":"/wA="})",
               R"({"v":1,"from":{"id":"C3","name":"x"},"channel":"c","data":"never"})"}));
  const Ran ran = ginnel({"sub", "c", "-n", "2"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, std::string("bob c hi\nC2 c \xff\x00\n", 17));
}
TEST_F(Verbs, WaitPassesItsGoalOn) {
  answer(R"({"v":1})");
  EXPECT_EQ(ginnel({"wait", "--peer", "bob", "--for", "direct", "--timeout", "3"}).exit, 0);
  EXPECT_EQ(asked(), "POST /v1/wait {\"peer\":\"bob\",\"for\":\"direct\",\"timeout\":3.0}\n");
}
TEST_F(Verbs, DownReturnsOnceTheDaemonIsGone) {
  std::thread ends;
  serve([&](const control_api::Request& r, const control_api::Responder& responder) {
    note(r);
    responder.ok(R"({"v":1})");
    ends = std::thread([this] { server_.reset(); });
  });
  EXPECT_EQ(ginnel({"down"}).exit, 0);
  ends.join();
  EXPECT_EQ(asked(), "POST /v1/down\n");
  EXPECT_FALSE(server_);
}

const char* const kExported =
    R"({"v":1,"name":"phone","public_key":"KEY","addresses":["10.66.9.7","fd12::7"],"mtu":1392,)"
    R"("node":{"name":"hub-a","public_key":"HUBKEY","endpoint":"203.0.113.9:7700",)"
    R"("addresses":["10.66.0.1","fd12::1"]}})";
TEST_F(Verbs, WgExportWithAKeyPrintsAConfigurationWithoutASecret) {
  answer(kExported);
  const Ran ran = ginnel({"wg", "export", "phone", "--public-key", "KEY", "--via", "hub-a"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, golden_file("wg_export.conf"));
  EXPECT_EQ(asked(),
            "POST /v1/wg/export {\"name\":\"phone\",\"public_key\":\"KEY\","
            "\"via\":\"hub-a\",\"endpoint\":null}\n");
}
TEST_F(Verbs, WgExportMakesAKeyAndTellsTheDaemonItsPublicHalf) {
  answer(kExported);
  const Ran ran = ginnel({"wg", "export", "phone", "--endpoint", "vpn.example.org:7700"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const std::string label = "\nPrivateKey = ";
  const auto at = ran.out.find(label);
  ASSERT_NE(at, std::string::npos) << ran.out;
  const auto bytes = from_base64(ran.out.substr(at + label.size(), 44));
  ASSERT_TRUE(bytes);
  const auto secret = crypto::SessionSecret::from(*bytes).value();
  const Json body = parse_document(asked().substr(std::string("POST /v1/wg/export ").size()));
  EXPECT_EQ(text_at(body, "public_key"), crypto::public_of(secret).base64());
  EXPECT_EQ(text_at(body, "endpoint"), "vpn.example.org:7700");
}
TEST_F(Verbs, WgExportAsJsonHasTheConfigurationInIt) {
  answer(kExported);
  const Json json = parse_document(ginnel({"--json", "wg", "export", "phone"}).out);
  EXPECT_EQ(text_at(child(json, "node"), "name"), "hub-a");
  EXPECT_THAT(text_at(json, "config"), HasSubstr("\nPrivateKey = "));
}
TEST_F(Verbs, WgExportThatIsRefusedShowsNoKey) {
  refuse({Errc::kNameTaken, "the WireGuard peer bob cannot be let in: another one has this name",
          "`ginnel peers` shows what is taken"});
  const Ran ran = ginnel({"wg", "export", "bob"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("another one has this name [E_NAME_TAKEN]\n"));
}

TEST_F(Verbs, InitPrintsTheIdAlone) {
  const Ran first = ginnel({"init", "--hub", "--name", "hub-a"});
  ASSERT_EQ(first.exit, 0) << first.err;
  EXPECT_THAT(first.out, testing::MatchesRegex("S[0-9a-f-]+\n"));
  EXPECT_EQ(first.out.size(), 38u);
  const Json json = parse_document(ginnel({"init", "--json"}).out);
  EXPECT_EQ(text_at(json, "id") + "\n", first.out);
  EXPECT_EQ(text_at(json, "name"), "hub-a");
  EXPECT_EQ(child(json, "addresses").size(), 2u);
}
TEST_F(Verbs, LeaveForgetWipesTheKeysAlsoWithoutADaemon) {
  ASSERT_EQ(ginnel({"init", "--hub"}).exit, 0);
  EXPECT_EQ(ginnel({"leave"}).exit, 3);
  EXPECT_TRUE(std::filesystem::exists(dir_ / "state"));
  EXPECT_EQ(ginnel({"leave", "--forget"}).exit, 0);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "state"));
}
// The next join would keep the hubs of the network that was left.
TEST_F(Verbs, LeaveForgetTakesTheHubsThatJoinWroteOutOfTheFile) {
  const std::string key = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=@";
  ASSERT_EQ(ginnel({"init", "--hub"}).exit, 0);
  ASSERT_EQ(ginnel({"config", "set", "network.hubs", key + "a:1," + key + "b:1"}).exit, 0);
  EXPECT_EQ(ginnel({"leave", "--forget"}).exit, 0);
  EXPECT_EQ(ginnel({"config", "get", "network.hubs"}).out, "\n");
  ASSERT_EQ(ginnel({"init", "--hub"}).exit, 0);
  ASSERT_EQ(ginnel({"config", "set", "network.hubs", "my-hub:1"}).exit, 0);
  EXPECT_EQ(ginnel({"leave", "--forget"}).exit, 0);
  EXPECT_THAT(ginnel({"config", "get", "network.hubs"}).out, HasSubstr("my-hub:1"));
}
TEST_F(Verbs, JoinTakesItsTokenFromFileInputOrEnvironment) {
  write("token", "nonsense");
  const std::string wrong = "[E_TOKEN_MALFORMED]";
  EXPECT_THAT(ginnel({"join", "--token-file", (dir_ / "token").string()}).err, HasSubstr(wrong));
  EXPECT_THAT(ginnel({"join", "--token-file", "-"}, "nonsense").err, HasSubstr(wrong));
  EXPECT_EQ(ginnel({"join", "--token-file", (dir_ / "none").string()}).exit, 2);
  environment_["GINNEL_TOKEN"] = "nonsense";
  const Ran ran = ginnel({"join"});
  EXPECT_EQ(ran.exit, 4);
  EXPECT_THAT(ran.err, HasSubstr(wrong));
  EXPECT_EQ(ran.err.find("nonsense"), std::string::npos);  // a token is a secret
}
TEST_F(Verbs, TheFolderMayComeFromTheEnvironment) {
  environment_["GINNEL_DIR"] = dir_.string();
  EXPECT_EQ(bare({"init", "--hub"}).exit, 0);
  EXPECT_TRUE(std::filesystem::exists(dir_ / "ginnel.toml"));
}
TEST_F(Verbs, UpWithoutAnIdentityIsNotJoined) {
  const Ran ran = ginnel({"up", "--foreground"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("[E_NOT_JOINED]"));
  EXPECT_THAT(ginnel({"up"}).err, HasSubstr("[E_NOT_JOINED]"));
}

TEST_F(Verbs, ConfigCheckListsEveryProblemOneALine) {
  write("ginnel.toml", "[node]\nnmae = \"x\"\n[routes]\naccept = true\n");
  const std::string path = (dir_ / "ginnel.toml").string();
  const Ran ran = ginnel({"config", "check"});
  EXPECT_EQ(ran.exit, 7);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err,
            path + ":2:1: unknown key \"nmae\" in [node] [E_CONFIG_KEY] did you mean \"name\"?\n" +
                path + ":3:2: routes: this version lacks routes behind a node [E_CONFIG_KEY]\n" +
                "ginnel: config check: " + path +
                ": 2 problems [E_CONFIG_KEY]\n  -> mend the file, then ginnel config check\n");
  const Json error = child(parse_document(ginnel({"config", "check", "--json"}).err), "error");
  EXPECT_EQ(child(error, "problems").size(), 2u);
  EXPECT_EQ(number_at(child(error, "problems")[0], "line"), 2);
}
TEST_F(Verbs, ConfigErrorsExitWithSevenAndTheirCode) {
  const std::map<std::string, std::string> texts = {{"[node\n", "E_CONFIG_SYNTAX"},
                                                    {"[nod]\n", "E_CONFIG_KEY"},
                                                    {"[tun]\nmtu = 1\n", "E_CONFIG_VALUE"}};
  for (const auto& [text, code] : texts) {
    write("ginnel.toml", text);
    for (const char* verb : {"check", "show"}) {
      const Ran ran = ginnel({"config", verb});
      EXPECT_EQ(ran.exit, 7);
      EXPECT_THAT(ran.err, HasSubstr("[" + code + "]"));
    }
    EXPECT_EQ(ginnel({"config", "get", "tun.mtu"}).exit, 7);
    const Ran up = ginnel({"up", "--foreground"});
    EXPECT_EQ(up.exit, 7);
    EXPECT_THAT(up.err, StartsWith((dir_ / "ginnel.toml").string() + ":"));
    EXPECT_THAT(up.err, HasSubstr("1 problem [" + code + "]\n  -> mend the file"));
  }
}
TEST_F(Verbs, ConfigCheckOfAValidFileSaysOk) {
  write("ginnel.toml", "");
  EXPECT_EQ(ginnel({"config", "check"}).out, (dir_ / "ginnel.toml").string() + ": ok\n");
  EXPECT_THAT(ginnel({"config", "check", "--json"}).out, HasSubstr("\"ok\":true,\"problems\":[]"));
  EXPECT_EQ(ginnel({"config", "check", "--json"}).err, "");
}
TEST_F(Verbs, ConfigWithoutAFileIsAFileError) {
  EXPECT_EQ(ginnel({"config", "check"}).exit, 2);
  EXPECT_THAT(ginnel({"config", "check"}).err, HasSubstr("[E_FILE]"));
}
TEST_F(Verbs, ConfigSetKeepsCommentsAndGetReadsBack) {
  write("ginnel.toml", "# mine\n[tun]\nmtu = 1300 # why\n");
  EXPECT_EQ(ginnel({"config", "set", "tun.mtu", "1280"}).exit, 0);
  EXPECT_EQ(ginnel({"config", "set", "tun.enable", "no"}).exit, 0);
  EXPECT_EQ(read("ginnel.toml"), "# mine\n[tun]\nmtu = 1280 # why\nenable = \"no\"\n");
  EXPECT_EQ(ginnel({"config", "get", "tun.mtu"}).out, "1280\n");
  EXPECT_EQ(ginnel({"config", "get", "punch.enable"}).out, "true\n");
  EXPECT_EQ(ginnel({"config", "get", "tun.mtu", "--json"}).out,
            "{\"v\":1,\"key\":\"tun.mtu\",\"value\":1280,\"origin\":\"file:3\"}\n");
}
TEST_F(Verbs, ConfigSetWritesNothingThatIsWrong) {
  write("ginnel.toml", "[tun]\n");
  for (const auto& [key, value] : std::map<std::string, std::string>{
           {"tun.mtu", "7"}, {"tun.mtuu", "1300"}, {"link.repair", "auto"}}) {
    EXPECT_EQ(ginnel({"config", "set", key, value}).exit, 7);
    EXPECT_EQ(read("ginnel.toml"), "[tun]\n");
  }
  EXPECT_THAT(ginnel({"config", "set", "tun.mtuu", "1"}).err, HasSubstr("did you mean \"mtu\"?"));
}
TEST_F(Verbs, ConfigSetKeepsTheFilePrivate) {
  write("ginnel.toml", "");
  ginnel({"config", "set", "tun.mtu", "1280"});
  struct stat info {};
  ASSERT_EQ(stat((dir_ / "ginnel.toml").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}
TEST_F(Verbs, ConfigShowNamesOrigins) {
  write("ginnel.toml", "[log]\nlevel = \"warn\"\n");
  environment_["GINNEL_LOG"] = "debug";
  EXPECT_THAT(ginnel({"config", "show", "--origin"}).out,
              testing::ContainsRegex("level = \"debug\" +# environment GINNEL_LOG"));
  environment_["GINNEL_LOG"] = "loud";
  EXPECT_EQ(ginnel({"config", "show"}).exit, 7);
}

// docs/cli.md: `version --json`: {"v":1,"version","commit"}
TEST_F(Verbs, VersionNamesTheCommit) {
  const Json json = parse_document(bare({"version", "--json"}).out);
  EXPECT_EQ(json.size(), 3u);
  EXPECT_NE(text_at(json, "version"), "");
  EXPECT_NE(text_at(json, "commit"), "");
  EXPECT_THAT(bare({"--version"}).out, StartsWith("ginnel " + text_at(json, "version")));
}
TEST_F(Verbs, EventsOfANodeAreLinesForPeopleAndDocumentsForPrograms) {
  const std::string event =
      R"({"v":1,"time":"2026-11-24T06:02:32.123Z","event":"path_changed","severity":"info",)"
      R"("code":"R_SYMMETRIC_NAT","text":"bob: direct 1.2.3.4:5 -> relay-udp hub-a"})";
  serve([&](const control_api::Request& r, const control_api::Responder& responder) {
    note(r);
    responder.write_line(event);
    responder.finish();
  });
  EXPECT_EQ(ginnel({"events", "--json"}).out, event + "\n");
  EXPECT_EQ(ginnel({"events", "-n", "5"}).out,
            "2026-11-24T06:02:32.123Z path_changed  bob: direct 1.2.3.4:5 -> relay-udp hub-a "
            "[R_SYMMETRIC_NAT]\n");
  EXPECT_EQ(asked(), "POST /v1/events {\"follow\":false}\n"
                     "POST /v1/events {\"follow\":false,\"last\":5}\n");
}
TEST_F(Verbs, LogIsLinesOfTimeLevelAndText) {
  serve([&](const control_api::Request&, const control_api::Responder& responder) {
    responder.write_line(R"({"v":1,"time":"2026-11-24T06:02:32Z","level":"warning","text":"hm"})");
    responder.finish();
  });
  EXPECT_EQ(ginnel({"log"}).out, "2026-11-24T06:02:32Z warning hm\n");
}
// docs/cli.md: "one entry per check, also for those that pass".
TEST_F(Verbs, DoctorNeedsNoNodeAndNoDaemon) {
  const Ran ran = ginnel({"doctor", "--json"});
  const Json document = parse_document(ran.out);
  const Json& checks = child(document, "checks");
  ASSERT_GE(checks.size(), 8u);
  bool well = true;
  for (const Json& check : checks) {
    EXPECT_TRUE(text_at(check, "code").starts_with("E_"));
    EXPECT_NE(text_at(check, "text"), "");
    const bool ok = text_at(check, "severity") == "ok";
    EXPECT_EQ(child(check, "fix").is_null(), ok) << text_at(check, "code");
    well = well && ok;
  }
  EXPECT_EQ(ran.exit, well ? 0 : 8);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ginnel({"doctor"}).out, HasSubstr("only the host is checked"));
}
TEST_F(Verbs, NetcheckWithoutAHubSaysWhatTheHostHas) {
  const Ran ran = ginnel({"netcheck"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, StartsWith("UDP       no hub is known yet\n"));
}
TEST_F(Verbs, CompletionOfAnUnknownShellIsAUsageError) {
  EXPECT_EQ(bare({"completion", "tcsh"}).exit, 2);
  EXPECT_THAT(bare({"completion", "bash"}).out, HasSubstr("complete -o default -F _ginnel ginnel"));
}
TEST_F(Verbs, HelpIsDataAndExitsWithZero) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"help"},
                                                                 {"--help"},
                                                                 {"help", "ping"},
                                                                 {"ping", "--help"},
                                                                 {"help", "config", "set"},
                                                                 {"help", "E_USAGE"},
                                                                 {"config", "--help"},
                                                                 {"help", "bench"}}) {
    const Ran ran = bare(words);
    EXPECT_EQ(ran.exit, 0);
    EXPECT_NE(ran.out, "");
    EXPECT_EQ(ran.err, "");
  }
}
TEST_F(Verbs, HelpAsJsonIsTheSameText) {
  const Json json = parse_document(bare({"help", "E_USAGE", "--json"}).out);
  EXPECT_EQ(json.at("v"), 1);
  EXPECT_EQ(text_at(json, "text"), bare({"help", "E_USAGE"}).out);
}
TEST_F(Verbs, JoinTakesAPublicAddressForAHubOnly) {
  write("token", "ginnel1-x");
  const Ran ran = ginnel({"join", "--token-file", (dir_ / "token").string(), "--public", "1.2.3.4:5"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("--public is for a hub"));
}

}  // namespace
}  // namespace ginnel::cli
