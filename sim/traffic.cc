#include "sim/traffic.h"

#include <charconv>

#include "base/writer.h"

namespace ginnel::sim {
namespace {

constexpr std::string_view kPlain = "chat";
constexpr std::string_view kAcked = "jobs";
constexpr std::string_view kLast = "last";
constexpr std::string_view kIp = "ip";
constexpr std::size_t kNumberBytes = 20;  // decimal, at the front of each message
constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::uint8_t kTrafficProtocol = 253;  // RFC 3692: for experiments
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr Nanoseconds kLastDeadline = 20s;

std::uint64_t number_of(ConstBytes message) {
  const std::string_view text = text_of(message.first(std::min(message.size(), kNumberBytes)));
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// A UDP-less IP packet with `number` in its payload and nothing else that matters.
ByteVector ip_packet(const Address& from, const Address& to, std::uint64_t number,
                     std::size_t size) {
  ByteVector out(size);
  Writer w(out);
  if (from.is_v4()) {
    w.u8(0x45)
        .u8(0)
        .u16be(static_cast<std::uint16_t>(size))
        .u32be(0)
        .u8(64)
        .u8(kTrafficProtocol)
        .u16be(0);
  } else {
    w.u32be(0x60000000)
        .u16be(static_cast<std::uint16_t>(size - kIpv6Header))
        .u8(kTrafficProtocol)
        .u8(64);
  }
  w.put(from.wire()).put(to.wire()).u64be(number);
  return out;
}

}  // namespace

Traffic::Traffic(World& world, const TrafficOptions& options)
    : world_(world), options_(options), ledger_(world) {
  for (const std::string_view channel : {kPlain, kAcked, kLast}) {
    ledger_.set_guarantee(std::string(channel), Ledger::Guarantee::kPerRun);
  }
  ledger_.set_guarantee(std::string(kIp), Ledger::Guarantee::kAtMostOnce);
  world.watch(*this);
  world.watch(ledger_);
  world.watch(seals_);
}

void Traffic::start(Network& network) {
  network_ = &network;
  running_ = true;
  Rng rng = world_.fork("traffic");
  for (const MachineId from : network.nodes()) {
    for (const bool v6 : {false, true}) {
      if (const auto address = network.overlay(from, v6)) overlay_.emplace(*address, from);
    }
    for (const MachineId to : network.nodes()) {
      if (from == to) continue;
      pairs_.push_back(
          {from, to, rng.between(options_.gap_min, options_.gap_max), rng.fork("pair")});
    }
  }
  for (std::size_t i = 0; i < pairs_.size(); ++i) schedule(i);
}

void Traffic::schedule(std::size_t index) {
  Pair& pair = pairs_[index];
  const Instant at = world_.now() + pair.rng.between(0ns, 2 * pair.gap);
  world_.call_at(at, [this, index](World&) {
    if (!running_) return;
    act(pairs_[index]);
    schedule(index);
  });
}

// A program does not send to whom its node does not know yet (that is E_UNKNOWN_PEER after
// resolve_timeout, told by a notice only).
bool Traffic::can_send(MachineId from, MachineId to) {
  if (!world_.machine(from).is_running()) return false;
  const node::Node* node = network_->node(from);
  return node && node->resolve(network_->host(to).id().text());
}

void Traffic::act(Pair& pair) {
  if (!can_send(pair.from, pair.to)) return;
  const std::uint64_t dice = pair.rng.below(10);
  if (dice < 4) return send_message(pair);
  if (dice < 6) return send_acked(pair, std::string(kAcked), options_.acked_deadline);
  for (std::uint64_t i = pair.rng.below(3) + 1; i > 0; --i) send_packet(pair);
}

ByteVector Traffic::text(Pair& pair, std::uint64_t number) const {
  std::string out = std::to_string(number) + " ";
  out.resize(kNumberBytes, '.');
  const bool large = pair.rng.chance(0.1);
  const std::size_t more = pair.rng.below(large ? options_.message_bytes_max : 200);
  for (std::size_t i = 0; i < more; ++i) out += static_cast<char>('a' + (number + i * i) % 26);
  return to_vector(bytes_of(out));
}

void Traffic::send_message(Pair& pair) {
  const ByteVector bytes = text(pair, ++last_number_);
  if (!network_->send(pair.from, pair.to, kPlain, bytes)) return;
  ledger_.sent(pair.from, pair.to, kPlain, bytes);
  ++counts_.messages;
}

void Traffic::send_acked(Pair& pair, const std::string& channel, Nanoseconds deadline) {
  const std::uint64_t call = ++last_number_;
  ByteVector bytes = text(pair, call);
  ledger_.sent(pair.from, pair.to, channel, bytes);
  acked_.emplace(call, Acked{pair.from, pair.to, channel, bytes});
  ++counts_.messages;
  network_->send_acked(pair.from, pair.to, call, channel, bytes, deadline);
}

void Traffic::send_packet(Pair& pair) {
  const bool v6 = pair.rng.chance(0.3);
  const auto from = network_->overlay(pair.from, v6);
  const auto to = network_->overlay(pair.to, v6);
  if (!from || !to) return;
  const std::size_t least = (v6 ? kIpv6Header : kIpv4Header) + sizeof(std::uint64_t);
  const std::size_t size = least + pair.rng.below(options_.packet_bytes_max - least + 1);
  const ByteVector bytes = ip_packet(*from, *to, ++last_number_, size);
  ledger_.sent(pair.from, pair.to, kIp, bytes);
  network_->send_packet(pair.from, bytes);
  ++counts_.packets_sent;
}

void Traffic::ask_everybody() {
  for (Pair& pair : pairs_) send_acked(pair, std::string(kLast), kLastDeadline);
}

std::vector<std::string> Traffic::unanswered() const {
  std::vector<std::string> out;
  for (const auto& [call, send] : acked_) {
    if (send.channel != kLast || send.succeeded) continue;
    out.push_back("no message passed: " + world_.machine(send.from).name() + " > " +
                  world_.machine(send.to).name() + " (" + network_->describe(send.from, send.to) +
                  ")");
  }
  return out;
}

void Traffic::message(MachineId at, MachineId from, const std::string& channel, ConstBytes bytes) {
  ledger_.received(from, at, channel, bytes);
  const auto it = acked_.find(number_of(bytes));
  if (it != acked_.end()) it->second.taken = true;
}

void Traffic::packet(MachineId at, ConstBytes bytes) {
  const bool v4 = std::to_integer<unsigned>(bytes[0]) >> 4 == 4;
  const auto from = overlay_.find(Address::from_wire(bytes.subspan(v4 ? 12 : 8, v4 ? 4 : 16)));
  if (from == overlay_.end()) {
    violated("a packet of nobody's address: at " + world_.machine(at).name());
    return;
  }
  const std::uint8_t protocol = std::to_integer<std::uint8_t>(bytes[v4 ? 9 : 6]);
  if (protocol == kIcmp || protocol == kIcmpv6) {
    ++counts_.refused;
    return;
  }
  ledger_.received(from->second, at, kIp, bytes);
  ++counts_.packets;
}

void Traffic::settled(MachineId at, const node::AckSettled& what) {
  const auto it = acked_.find(what.call);
  if (it == acked_.end()) return violated("settled, but never sent: " + world_.machine(at).name());
  Acked& send = it->second;
  send.succeeded = !what.error;
  ++(what.error ? counts_.failed : counts_.acknowledged);
  if (!what.error && !send.taken) {
    violated("acknowledged, but taken by no program: " + world_.machine(send.from).name() + " > " +
             world_.machine(send.to).name());
  }
  if (what.error) ledger_.gave_up(send.from, send.to, send.channel, send.bytes);
}

void Traffic::undelivered(MachineId at, MachineId to, const std::string& channel,
                          ConstBytes bytes) {
  ++counts_.undelivered;
  ledger_.gave_up(at, to, channel, bytes);
}

void Traffic::datagram_sent(MachineId from, ConstBytes bytes) {
  seals_.sent(world_, from, bytes);
  auto& [second, count] = storm_[from];
  const std::int64_t now = world_.now().ns / 1'000'000'000;
  if (second != now) count = 0;
  second = now;
  if (++count == kDatagramsPerSecondMax) {
    violated("a storm of datagrams: " + world_.machine(from).name());
  }
}

}  // namespace ginnel::sim
