#include "sim/gossip/spread.h"

namespace ginnel::sim {
namespace {

using swim::metadata::Key;

constexpr Nanoseconds kNewcomerGap = 10ms;
constexpr Nanoseconds kChangeTime = 30s;  // three exchanges: what they repair is counted too
constexpr std::size_t kUdpHeaderBytes = 28;

double gossip_rounds(Nanoseconds time) {
  return static_cast<double>(time.count()) /
         static_cast<double>(swim::Config::lan().gossip_interval.count());
}

// A Root or Branches of an exchange, in a datagram without compression: a user message's type, the
// envelope, the kind. A checksum of 5 bytes may stand before it.
bool is_message(ConstBytes datagram, swim::metadata::Kind kind) {
  const std::byte start[] = {static_cast<std::byte>(swim::MessageType::kUser),
                             swim::metadata::kEnvelope, static_cast<std::byte>(kind)};
  const ConstBytes head = datagram.first(std::min<std::size_t>(datagram.size(), 8));
  return std::ranges::search(head, start).begin() != head.end();
}

swim::AgentConfig sharing_member() {
  swim::AgentConfig out;
  out.app = swim::App::kGinnel;
  out.swim.frame.compress = false;
  return out;
}

Key spread_key(std::uint32_t i) {
  return {swim::metadata::Space::kCommon, "", "service/" + std::to_string(i)};
}

class Spread {
 public:
  explicit Spread(const SpreadOptions& options)
      : options_(options), net_({.seed = options.seed, .loss = options.loss}) {}

  SpreadResult run() {
    grow();
    rest();
    for (std::uint32_t i = 0; i < options_.changes; ++i) change(i);
    return out_;
  }

 private:
  void grow() {
    const ByteVector value(options_.value_bytes, std::byte{'v'});
    net_.add(sharing_member());
    for (std::uint32_t i = 0; i < options_.keys; ++i) {
      net_.with(0, [&](swim::Agent& agent) { (void)agent.put(net_.now(), spread_key(i), value); });
    }
    for (std::uint32_t i = 1; i < options_.members; ++i) {
      net_.run_for(kNewcomerGap);
      const std::uint32_t member = net_.add(sharing_member());
      net_.join(member, static_cast<std::uint32_t>(net_.rng().below(i)));
    }
    net_.run_for(5s);
    out_.all_have_all = true;
    const std::uint64_t root = net_.agent(0).shared().store().root();
    for (std::uint32_t i = 0; i < options_.members; ++i) {
      if (net_.agent(i).shared().store().root() != root) out_.all_have_all = false;
    }
  }

  void rest() {
    net_.run_for(60s);  // the joins' rumors end
    std::uint64_t exchanges = 0, bytes = 0;
    net_.on_datagram([&](ConstBytes datagram) {
      if (!is_message(datagram, swim::metadata::Kind::kRoot)) return;
      ++exchanges;
      bytes += datagram.size() + kUdpHeaderBytes;
    });
    const std::uint64_t answered_before = answered();
    net_.run_for(options_.quiet);
    net_.on_datagram(nullptr);
    const double n = static_cast<double>(std::max<std::uint64_t>(exchanges, 1));
    out_.bytes_per_exchange = static_cast<double>(bytes) / n;
    out_.exchanges_per_second =
        n / options_.members / std::chrono::duration<double>(options_.quiet).count();
    out_.differing = answered() - answered_before;
  }

  std::uint64_t answered() const {
    std::uint64_t out = 0;
    for (std::uint32_t i = 0; i < net_.size(); ++i) out += net_.agent(i).shared().differences();
    return out;
  }

  void change(std::uint32_t i) {
    const auto writer = static_cast<std::uint32_t>(net_.rng().below(options_.members));
    const Key key = spread_key(i % std::max(options_.keys, 1u));
    const Instant start = net_.now();
    std::vector<Nanoseconds> heard;
    net_.on_event([&](std::uint32_t, const swim::AgentEvent& event) {
      const auto* changed = std::get_if<swim::metadata::Changed>(&event);
      if (changed != nullptr && changed->key == key) heard.push_back(net_.now() - start);
    });
    const std::string value = "change " + std::to_string(i);
    net_.with(writer, [&](swim::Agent& agent) {
      (void)agent.put(net_.now(), key, bytes_of(value));
    });
    net_.run_for(kChangeTime);
    net_.on_event(nullptr);
    const std::size_t most = (std::size_t{options_.members} * 99 + 99) / 100;
    if (heard.size() >= most) out_.rounds_most.push_back(gossip_rounds(heard[most - 1]));
    if (heard.size() == options_.members) out_.rounds_all.push_back(gossip_rounds(heard.back()));
    const Nanoseconds rumor = swim::Config::lan().gossip_interval * 25;  // it is dead by then
    for (const Nanoseconds at : heard) out_.late += at > rumor ? 1 : 0;
    out_.late += options_.members - static_cast<std::uint32_t>(heard.size());
  }

  SpreadOptions options_;
  AgentNet net_;
  SpreadResult out_;
};

}  // namespace

SpreadResult run_spread(const SpreadOptions& options) { return Spread(options).run(); }

}  // namespace ginnel::sim
