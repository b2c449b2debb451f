// Raw, crafted and mutated datagrams into a live pair: nothing crashes and no buffer passes its
// bound. Input: one byte of options, then commands of one byte with their arguments.
#include "base/assert.h"
#include "base/reader.h"
#include "proto/kcp/testing/pair.h"

namespace {

using namespace ginnel;
using namespace ginnel::kcp;

constexpr std::size_t kCommandsMax = 2000;

class Session {
 public:
  explicit Session(std::uint8_t options)
      : pair_(config(options), config(static_cast<std::uint8_t>(options >> 3)), {}, {}) {
    pair_.lose = [this](const Kcp&, ConstBytes bytes) { return intercept(bytes); };
  }

  bool step(Reader& in) {
    const std::uint8_t command = in.u8();
    Kcp& target = (command & 0x80) != 0 ? pair_.a : pair_.b;
    switch (command & 7) {
      case 0:
        raw(target, in.take(std::min<std::size_t>(in.u8(), in.remaining())));
        break;
      case 1:
        mutate_next_ = in.u8() + 1u;
        mutate_value_ = in.u8();
        break;
      case 2:
        static_cast<void>(target.send(ByteVector(in.u16le() % 8192)));
        break;
      case 3:
        read(target);
        break;
      case 4:
        advance(Nanoseconds(std::chrono::milliseconds(in.u16le())));
        break;
      case 5:
        target.set_mtu(50 + in.u16le() % 1500);
        break;
      case 6:
        lose_ = in.u8() % 4;
        break;
      case 7:
        crafted(target, in);
        break;
    }
    check(pair_.a);
    check(pair_.b);
    return in.ok();
  }

 private:
  static Config config(std::uint8_t options) {
    Config config = (options & 1) != 0 ? Config::compatible(Conv(7)).nodelay(1, 10, 2, 1)
                                       : Config{.conv = Conv(7)};
    config.framing = (options & 2) != 0 ? Framing::kMessage : Framing::kStream;
    if ((options & 4) != 0) config.first_sn = Sn(0xfffffff0);
    config.receive_window_segments = 40;
    config.receive_bytes_max = kReceiveBytesMin;
    return config;
  }
  void raw(Kcp& target, ConstBytes bytes) {
    const ByteVector copy = to_vector(bytes);  // exactly its size, for the sanitizer's red zone
    static_cast<void>(target.handle_segments(pair_.now, copy));
  }
  // A well-formed segment of the right conversation, with any values.
  void crafted(Kcp& target, Reader& in) {
    const ByteVector payload(in.u8() * 16u);
    const Segment segment{.conv = Conv(7),
                          .cmd = static_cast<Cmd>(81 + in.u8() % 4),
                          .frg = in.u8(),
                          .wnd = in.u16le(),
                          .ts = Timestamp(in.u32le()),
                          .sn = Sn(in.u32le()),
                          .una = Sn(in.u32le())};
    ByteVector bytes(kHeaderBytes + payload.size());
    Writer writer(bytes);
    write_header(writer, segment, payload.size());
    static_cast<void>(target.handle_segments(pair_.now, bytes));
  }
  void read(Kcp& target) {
    const auto size = target.next_size();
    if (!size) return;
    ByteVector out(*size);
    const auto got = target.read(out);
    GINNEL_ASSERT(got == size);
  }
  void advance(Nanoseconds by) {
    std::size_t turns = 0;
    pair_.run(by, [&] { return ++turns > 200; });
    pair_.b.resume(pair_.now);
  }
  // Loses some datagrams, and lets others be followed by a copy with one byte changed.
  bool intercept(ConstBytes bytes) {
    ++count_;
    if (mutate_next_ > 0) {
      ByteVector copy = to_vector(bytes);
      copy[(mutate_next_ - 1) % copy.size()] = std::byte{mutate_value_};
      mutate_next_ = 0;
      mutated_.push_back(std::move(copy));
    }
    return lose_ > 0 && count_ % (lose_ + 1) == 0;
  }
  void check(Kcp& kcp) {
    for (const ByteVector& bytes : std::exchange(mutated_, {})) {
      static_cast<void>(pair_.a.handle_segments(pair_.now, bytes));
      static_cast<void>(pair_.b.handle_segments(pair_.now, bytes));
    }
    GINNEL_ASSERT(kcp.receiver().held_bytes() <= 2 * kReceiveBytesMin + kMtuMax);
    GINNEL_ASSERT(kcp.receiver().readable_segments() <= 40);
    GINNEL_ASSERT(kcp.receiver().acks().size() <= 256);
    GINNEL_ASSERT(kcp.sender().nxt() - kcp.sender().una() <= 1024);
    GINNEL_ASSERT(kcp.sender().nxt() - kcp.sender().una() >= 0);
    GINNEL_ASSERT(kcp.sender().rtt().rto() <= kRtoMax);
  }

  testing::Pair pair_;
  std::size_t mutate_next_ = 0;
  std::uint8_t mutate_value_ = 0;
  std::uint32_t lose_ = 0;
  std::uint32_t count_ = 0;
  std::vector<ByteVector> mutated_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader in(std::as_bytes(std::span(data, size)));
  Session session(in.u8());
  for (std::size_t i = 0; i < kCommandsMax && session.step(in); ++i) {
  }
  return 0;
}
