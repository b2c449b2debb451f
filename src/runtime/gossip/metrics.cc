#include "runtime/gossip/metrics.h"

#include <algorithm>

#include "runtime/gossip/documents.h"

namespace ginnel::gossip {
namespace {

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += "# HELP ginnel_gossip_" + std::string(name) + " " + std::string(help) + "\n# TYPE ";
  out += "ginnel_gossip_" + std::string(name) + " " + std::string(type) + "\n";
}

void value(std::string& out, const std::string& name, std::uint64_t number) {
  out += "ginnel_gossip_" + name + " " + std::to_string(number) + "\n";
}

void counter(std::string& out, const std::string& name, std::string_view help,
             std::uint64_t number) {
  head(out, name, "counter", help);
  value(out, name, number);
}

}  // namespace

std::string metrics_text(Engine& engine) {
  std::string out;
  const swim::Swim& swim = engine.agent().swim();
  head(out, "members", "gauge", "Members by state.");
  const auto members = engine.agent().members();
  for (const auto state :
       {swim::State::kAlive, swim::State::kSuspect, swim::State::kDead, swim::State::kLeft}) {
    const auto count = std::ranges::count(members, state, &swim::MemberInfo::state);
    value(out, "members{state=\"" + std::string(state_name(state)) + "\"}",
          static_cast<std::uint64_t>(count));
  }
  head(out, "health_score", "gauge", "How much we doubt ourselves; 0 is well.");
  value(out, "health_score", static_cast<std::uint64_t>(swim.health_score()));
  head(out, "streams", "gauge", "TCP connections.");
  value(out, "streams", engine.stream_count());
  head(out, "datagram_connections", "gauge", "TCP connections that carry datagrams.");
  value(out, "datagram_connections", engine.datagrams().connection_count());
  const Datagrams::Counts& counts = engine.datagrams().counts();
  counter(out, "datagrams_sent_total", "Datagrams sent.", counts.sent);
  counter(out, "datagram_bytes_sent_total", "Their bytes.", counts.sent_bytes);
  counter(out, "datagrams_failed_total", "Datagrams that found no way out.", counts.failed);
  counter(out, "datagrams_received_total", "Datagrams received.", counts.received);
  counter(out, "datagram_bytes_received_total", "Their bytes.", counts.received_bytes);
  counter(out, "events_lost_total", "Events beyond what the queue holds.", swim.events_lost());
  head(out, "dropped_total", "counter", "What came and was not taken, by reason.");
  for (int i = 0; i < static_cast<int>(swim::Drop::kCount); ++i) {
    const auto drop = static_cast<swim::Drop>(i);
    value(out, "dropped_total{why=\"" + std::string(swim::name_of(drop)) + "\"}",
          swim.dropped(drop));
  }
  return out;
}

}  // namespace ginnel::gossip
