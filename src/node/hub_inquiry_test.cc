#include "node/hub_inquiry.h"

#include <gtest/gtest.h>

#include "proto/stun/binding_server.h"

namespace ginnel::node {
namespace {

using stun::ServerPort;

const Endpoint kHub = *Endpoint::parse("203.0.113.2:7700");
const Endpoint kDead = *Endpoint::parse("203.0.113.3:7700");
const Endpoint kUs = *Endpoint::parse("192.0.2.7:4000");

class HubInquiryTest : public ::testing::Test {
 protected:
  // Sends what is due to the hub, and its answer back. Returns how many requests went out.
  int exchange() {
    int sent = 0;
    inquiry_.handle_timeout(now_);
    std::array<std::byte, 1500> slot{};
    while (const auto request = inquiry_.poll_transmit(now_, slot)) {
      ++sent;
      last_bytes_ = request->size;
      last_to_ = request->to;
      if (request->to != kHub) continue;
      std::array<std::byte, 1500> out{};
      const auto answer =
          hub_.handle_request(now_, kUs, ServerPort::kMain, Bytes(slot).first(request->size), out);
      if (answer) inquiry_.handle_answer(now_, kHub, Bytes(out).first(answer->size));
    }
    return sent;
  }
  void advance_to_next() { now_ = std::max(now_, inquiry_.next_timeout().value_or(now_)); }

  Instant now_{1'000'000'000};
  stun::BindingServer hub_{{}};
  HubInquiry inquiry_{Rng::from_seed(3)};
  std::size_t last_bytes_ = 0;
  Endpoint last_to_;
};

// docs/wire/ginnel.md section 11: padded to 600 bytes; the hub puts its chain into the response.
TEST_F(HubInquiryTest, AHubAnswersWithItsChain) {
  const ByteVector chain(300, std::byte{7});
  hub_.set_certificate(chain);
  inquiry_.ask(now_, 5, {kHub});
  EXPECT_EQ(exchange(), 1);
  EXPECT_EQ(last_bytes_, stun::kCertRequestBytes);
  const auto found = inquiry_.poll_event();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->hub, 5u);
  EXPECT_EQ(found->endpoint, kHub);
  EXPECT_EQ(found->chain, chain);
}

// Section 11: "else it leaves the attribute out and the asker pads to 1232 bytes".
TEST_F(HubInquiryTest, AChainThatDoesNotFitIsAskedForInALargerRequest) {
  hub_.set_certificate(ByteVector(1000, std::byte{7}));
  inquiry_.ask(now_, 0, {kHub});
  exchange();
  exchange();
  EXPECT_EQ(last_bytes_, stun::kCertRequestBytesMax);
  EXPECT_TRUE(inquiry_.poll_event());
}

TEST_F(HubInquiryTest, AllAddressesAreTriedInTurn) {
  hub_.set_certificate(ByteVector(300));
  inquiry_.ask(now_, 0, {kDead, kHub});
  exchange();
  EXPECT_EQ(last_to_, kDead);
  EXPECT_FALSE(inquiry_.poll_event());
  advance_to_next();
  exchange();
  EXPECT_EQ(last_to_, kHub);
  EXPECT_TRUE(inquiry_.poll_event());
}

TEST_F(HubInquiryTest, SilenceIsAskedAgainAtMostEveryFiveSeconds) {
  inquiry_.ask(now_, 0, {kDead});
  const Instant end = now_ + 60s;
  int sent = 0;
  for (; now_ < end; advance_to_next()) sent += exchange();
  EXPECT_GE(sent, 12);
  EXPECT_LE(sent, 17);
}

TEST_F(HubInquiryTest, WhatIsOfNoUseIsNotAskedForAtOnceAgain) {
  hub_.set_certificate(ByteVector(300));
  inquiry_.ask(now_, 0, {kHub});
  exchange();
  inquiry_.pause(0, now_ + 30s);
  now_ = now_ + 29s;
  EXPECT_EQ(exchange(), 0);
  now_ = now_ + 1s;
  EXPECT_EQ(exchange(), 1);
}

TEST_F(HubInquiryTest, WhoIsFoundIsNotAskedAnyMore) {
  inquiry_.ask(now_, 0, {kHub});
  inquiry_.stop(0);
  EXPECT_EQ(exchange(), 0);
  EXPECT_FALSE(inquiry_.next_timeout());
}

}  // namespace
}  // namespace ginnel::node
