#include "proto/stun/request.h"

#include <gtest/gtest.h>

namespace ginnel::stun {
namespace {

TEST(BindingRequest, HasTheSizeThatWasAskedFor) {
  for (const std::size_t size : {kRequestBytes, kCertRequestBytes, kCertRequestBytesMax}) {
    ByteVector out(1500);
    const RequestOptions options{.transaction = make_transaction({3}),
                                 .change_port = true,
                                 .want_certificate = true,
                                 .size = size};
    ASSERT_EQ(write_request(options, out), size);
    const auto m = Message::parse(ConstBytes(out).first(size));
    ASSERT_TRUE(m);
    EXPECT_TRUE(m->change->port);
    EXPECT_TRUE(m->certificate && m->certificate->empty());
  }
}

TEST(BindingRequest, IsNotWrittenSmallerThanItsAttributes) {
  ByteVector out(1500);
  EXPECT_EQ(write_request({.change_port = true, .size = 28}, out), 0u);
  EXPECT_EQ(write_request({.size = 30}, out), 0u);
}

TEST(BindingRequest, OnlyTheResponseToItsTransactionCounts) {
  Message answer;
  answer.type = kBindingResponse;
  answer.transaction = make_transaction({3});
  answer.mapped = Endpoint::parse("198.51.100.7:1");
  EXPECT_EQ(mapped_of(answer, make_transaction({3})), answer.mapped);
  EXPECT_FALSE(mapped_of(answer, make_transaction({4})));
  answer.xor_mapped = Endpoint::parse("198.51.100.7:2");
  EXPECT_EQ(mapped_of(answer, make_transaction({3})), answer.xor_mapped);
  answer.type = kBindingError;
  EXPECT_FALSE(mapped_of(answer, make_transaction({3})));
}

}  // namespace
}  // namespace ginnel::stun
