#include "runtime/names/dns_server.h"

#include <gtest/gtest.h>

namespace ginnel::runtime {
namespace {

TEST(DnsServer, AnswersAQuestionOverItsSocketAndLeavesNoiseUnanswered) {
  auto loop = io::EventLoop::make().value();
  const Address loopback = Address::v4(127, 0, 0, 1);
  auto server = DnsServer::open(*loop, loopback, "home", 0).value();
  server->names().set({{"bob", {Address::v4(10, 66, 0, 3)}}});

  auto client = io::UdpSocket::open({.bind = {loopback, 0}}).value();
  const ByteVector question = from_hex(
                                  "123401000001000000000000"
                                  "03626f6204686f6d650667696e6e656c08696e7465726e616c0000010001")
                                  .value();
  io::SendBatch out(2);
  ASSERT_TRUE(out.add({.to = server->local(), .bytes = bytes_of("noise")}));
  ASSERT_TRUE(out.add({.to = server->local(), .bytes = question}));
  client->send(out);
  // Loopback delivers before send returns: one round takes both.
  loop->run_once(1s);

  io::ReceiveBatch in(4);
  const auto answers = client->receive(in);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].from, server->local());
  const std::string hex = to_hex(answers[0].bytes);
  EXPECT_EQ(hex.substr(0, 16), "1234850000010001");
  EXPECT_EQ(hex.substr(hex.size() - 8), "0a420003");
}

TEST(DnsServer, SaysWhyItsPortCannotBeHad) {
  auto loop = io::EventLoop::make().value();
  const Address loopback = Address::v4(127, 0, 0, 1);
  auto first = DnsServer::open(*loop, loopback, "home", 0).value();
  const auto second = DnsServer::open(*loop, loopback, "home", first->local().port);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kPortBusy);
}

}  // namespace
}  // namespace ginnel::runtime
