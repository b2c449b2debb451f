#include "sim/ledger.h"

#include <algorithm>

#include "sim/world.h"

namespace ginnel::sim {
namespace {

std::uint64_t hash_of(ConstBytes bytes) {
  Trace hash(0);
  hash.add_bytes(bytes);
  hash.add({.detail = bytes.size()});
  return hash.hash();
}

}  // namespace

void Ledger::Recent::add(const Message& message) {
  if (order_.size() == kRecentMax) {
    take(order_.front().hash);
    order_.pop_front();
  }
  order_.push_back(message);
  numbers_.emplace(message.hash, message.number);
}

std::optional<std::uint64_t> Ledger::Recent::find(std::uint64_t hash) const {
  const auto it = numbers_.find(hash);
  return it == numbers_.end() ? std::nullopt : std::optional(it->second);
}

bool Ledger::Recent::take(std::uint64_t hash) {
  const auto it = numbers_.find(hash);
  if (it == numbers_.end()) return false;
  numbers_.erase(it);
  return true;
}

void Ledger::Recent::move_to(Recent& other) {
  for (const Message& message : order_) other.add(message);
  order_.clear();
  numbers_.clear();
}

void Ledger::set_guarantee(std::string channel, Guarantee guarantee) {
  guarantees_.insert_or_assign(std::move(channel), guarantee);
}

Ledger::Flow& Ledger::flow(const FlowId& id) {
  const auto it = flows_.find(id);
  if (it != flows_.end()) return it->second;
  Flow made;
  if (const auto known = guarantees_.find(id.channel); known != guarantees_.end()) {
    made.guarantee = known->second;
  }
  made.new_run = made.guarantee == Guarantee::kPerRun && crashed_.contains(id.to);
  return flows_.emplace(id, std::move(made)).first->second;
}

bool Ledger::must_arrive(const Flow& flow, const Message& message) const {
  return flow.guarantee != Guarantee::kAtMostOnce && !message.excused;
}

void Ledger::report(std::string_view what, const FlowId& id, std::uint64_t number) {
  std::string text(what);
  text += ": " + world_.machine(id.from).name() + " > " + world_.machine(id.to).name() + " " +
          id.channel;
  if (number != 0) text += " #" + std::to_string(number);
  violated(text + " at " + std::to_string(world_.now().ns / 1'000'000) + " ms");
}

void Ledger::sent(MachineId from, MachineId to, std::string_view channel, ConstBytes bytes) {
  const FlowId id{from, to, std::string(channel)};
  Flow& f = flow(id);
  if (f.under_way.size() == kUnderWayMax) forget_oldest(id, f);
  f.under_way.push_back({.hash = hash_of(bytes), .number = ++f.last_number, .excused = f.new_run});
  ++counts_.sent;
  if (must_arrive(f, f.under_way.back())) ++counts_.missing;
}

void Ledger::forget_oldest(const FlowId& id, Flow& f) {
  const Message& oldest = f.under_way.front();
  if (must_arrive(f, oldest)) {
    report("lost, or more under way than the ledger holds", id, oldest.number);
    ++counts_.lost;
    --counts_.missing;
  }
  f.may_recur.add(oldest);
  f.under_way.pop_front();
}

void Ledger::excuse(Flow& f, Message& message) {
  if (must_arrive(f, message)) --counts_.missing;
  message.excused = true;
}

void Ledger::gave_up(MachineId from, MachineId to, std::string_view channel, ConstBytes bytes) {
  Flow& f = flow({from, to, std::string(channel)});
  const auto it = std::ranges::find(f.under_way, hash_of(bytes), &Message::hash);
  if (it != f.under_way.end()) excuse(f, *it);
}

void Ledger::received(MachineId from, MachineId to, std::string_view channel, ConstBytes bytes) {
  const FlowId id{from, to, std::string(channel)};
  Flow& f = flow(id);
  const std::uint64_t hash = hash_of(bytes);
  ++counts_.received;
  const auto it = std::ranges::find(f.under_way, hash, &Message::hash);
  if (it == f.under_way.end()) return receive_unexpected(id, f, hash);
  const Message message = *it;
  auto index = static_cast<std::size_t>(it - f.under_way.begin());
  const bool ordered = f.guarantee == Guarantee::kOrdered || f.guarantee == Guarantee::kPerRun;
  if (ordered) check_order(id, f, index);
  const auto still = std::ranges::find(f.under_way, message.number, &Message::number);
  if (must_arrive(f, message)) --counts_.missing;
  f.under_way.erase(still);
  f.delivered.add(message);
  if (f.new_run && message.number > f.last_before_crash) note_new_run(f, message);
}

// The receiver's new run got a message that was sent to it: what was sent after that must arrive.
void Ledger::note_new_run(Flow& f, const Message& message) {
  f.new_run = false;
  for (Message& later : f.under_way) {
    if (later.number < message.number || !later.excused) continue;
    later.excused = false;
    ++counts_.missing;
  }
}

// A message came that others, sent before it, should have preceded.
void Ledger::check_order(const FlowId& id, Flow& f, std::size_t index) {
  for (std::size_t i = 0; i < index; ++i) {
    Message& earlier = f.under_way[i];
    if (earlier.excused) {
      f.may_recur.add(earlier);
    } else if (!earlier.overtaken) {
      earlier.overtaken = true;
      ++counts_.reordered;
      report("overtaken", id, earlier.number);
    }
  }
  const auto end = f.under_way.begin() + static_cast<std::ptrdiff_t>(index);
  f.under_way.erase(
      std::remove_if(f.under_way.begin(), end, [](const Message& m) { return m.excused; }), end);
}

void Ledger::receive_unexpected(const FlowId& id, Flow& f, std::uint64_t hash) {
  if (f.may_recur.take(hash)) {
    ++counts_.again;
  } else if (const auto number = f.delivered.find(hash)) {
    ++counts_.doubled;
    report("doubled", id, *number);
  } else {
    ++counts_.unknown;
    report("corrupted, or never sent", id, 0);
  }
}

void Ledger::on_crash(const World&, MachineId machine) {
  crashed_.insert(machine);
  for (auto& [id, f] : flows_) {
    if (id.from != machine && id.to != machine) continue;
    for (Message& message : f.under_way) excuse(f, message);
    if (id.to != machine) continue;
    f.delivered.move_to(f.may_recur);
    f.new_run = f.guarantee == Guarantee::kPerRun;
    f.last_before_crash = f.last_number;
  }
}

void Ledger::finish(const World&) {
  for (auto& [id, f] : flows_) {
    for (Message& message : f.under_way) {
      if (!must_arrive(f, message)) continue;
      ++counts_.lost;
      report("lost", id, message.number);
    }
  }
}

}  // namespace ginnel::sim
