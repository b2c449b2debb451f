#include "api/dispatcher.h"

#include <algorithm>

namespace ginnel::api {
namespace {

std::string name_of(const node::Node& core, Instant now, const Id& id) {
  if (id == core.self().id) return core.self().name;
  const auto info = core.peer_info(now, id);
  return info ? info->name : std::string();
}

}  // namespace

void Dispatcher::handle(node::Node& core, Instant now, const node::Event& event) {
  if (const auto* ready = std::get_if<node::MessageReady>(&event)) {
    deliver(core, now, ready->from, ready->channel);
  } else if (const auto* got = std::get_if<node::DatagramReceived>(&event)) {
    const auto it = messages_.find(got->channel);
    if (it == messages_.end()) return;
    const std::string name = name_of(core, now, got->from);
    it->second.call(Message(got->from, name, got->channel, got->data));
  } else if (const auto* settled = std::get_if<node::AckSettled>(&event)) {
    settle(*settled);
  } else if (const auto* asked = std::get_if<node::RequestReady>(&event)) {
    deliver_requests(core, now, asked->from, asked->channel);
  } else if (const auto* answered = std::get_if<node::RequestSettled>(&event)) {
    settle(core, now, *answered);
  } else if (const auto* lost = std::get_if<node::Undelivered>(&event)) {
    report_undelivered(*lost);
  } else if (const auto* changed = std::get_if<node::PeerChanged>(&event)) {
    report_path(core, now, changed->id);
  } else if (const auto* writable = std::get_if<node::ChannelWritable>(&event)) {
    writables_.call(writable->peer, std::string_view(writable->channel));
  } else if (const auto* gossiped = std::get_if<node::Gossiped>(&event)) {
    if (members_.empty()) return;
    if (const auto member = core.member_of(gossiped->event)) members_.call(*member);
  }
}

// A message whose last subscriber went meanwhile stays in its channel for the next one.
void Dispatcher::deliver(node::Node& core, Instant now, const Id& from,
                         const std::string& channel) {
  const std::string name = name_of(core, now, from);
  for (;;) {
    const auto it = messages_.find(channel);
    if (it == messages_.end() || it->second.empty()) return;
    const auto message = core.take_message(from, channel);
    if (!message) return;
    it->second.call(Message(from, name, channel, message->data));
    core.taken(from, message->id);
  }
}

// Only the first handler gets it: it is answered once.
void Dispatcher::deliver_requests(node::Node& core, Instant now, const Id& from,
                                  const std::string& channel) {
  const std::string name = name_of(core, now, from);
  for (;;) {
    const auto it = requests_.find(channel);
    if (it == requests_.end() || it->second.empty()) return;
    const auto request = core.take_request(from, channel);
    if (!request) return;
    it->second.call_first(Message(from, name, channel, request->data), request->id);
  }
}

void Dispatcher::report_undelivered(const node::Undelivered& message) const {
  using Outcome = Undelivered::Outcome;
  undelivered_.call(Undelivered{message.sent ? Outcome::kUnknown : Outcome::kNotSent, message.peer,
                                message.peer_text, message.channel, message.data, message.error});
}

void Dispatcher::report_path(node::Node& core, Instant now, const Id& id) const {
  if (paths_.empty()) return;
  if (const auto info = core.peer_info(now, id)) paths_.call(*info);
}

std::uint64_t Dispatcher::add_message(node::Node& core, std::string_view channel,
                                      MessageHandler handler) {
  const std::uint64_t number = next_++;
  // A channel's list is never removed: deliver() holds on to it while handlers cancel.
  messages_.try_emplace(std::string(channel)).first->second.add(number, std::move(handler));
  core.subscribe(channel);
  return number;
}

std::uint64_t Dispatcher::add_request(node::Node& core, std::string_view channel,
                                      RequestHandler handler) {
  const std::uint64_t number = next_++;
  // Never removed, as a channel's list of messages.
  requests_.try_emplace(std::string(channel)).first->second.add(number, std::move(handler));
  core.subscribe_requests(channel);
  return number;
}

std::uint64_t Dispatcher::add_undelivered(UndeliveredHandler handler) {
  undelivered_.add(next_, std::move(handler));
  return next_++;
}

std::uint64_t Dispatcher::add_path(PathHandler handler) {
  paths_.add(next_, std::move(handler));
  return next_++;
}

std::uint64_t Dispatcher::add_member(MemberHandler handler) {
  members_.add(next_, std::move(handler));
  return next_++;
}

std::uint64_t Dispatcher::add_writable(WritableHandler handler) {
  writables_.add(next_, std::move(handler));
  return next_++;
}

void Dispatcher::remove(node::Node& core, std::uint64_t number) {
  if (paths_.remove(number) || members_.remove(number) || writables_.remove(number) ||
      undelivered_.remove(number)) {
    return;
  }
  for (auto& [channel, handlers] : requests_) {
    if (!handlers.remove(number)) continue;
    core.unsubscribe_requests(channel);
    return;
  }
  for (auto& [channel, handlers] : messages_) {
    if (!handlers.remove(number)) continue;
    core.unsubscribe(channel);
    return;
  }
}

void Dispatcher::send_acked(node::Node& core, Instant now, const std::vector<std::string>& peers,
                            std::string_view channel, ConstBytes data, Nanoseconds deadline,
                            AckedDone done) {
  if (peers.empty()) return done({});
  const std::uint64_t call = next_++;
  acked_.emplace(call, AckedCall{std::move(done), peers, {}});
  core.send_acked(now, call, peers, channel, data, deadline);
}

void Dispatcher::request(node::Node& core, Instant now, std::string_view peer,
                         std::string_view channel, ConstBytes data, Nanoseconds deadline,
                         RequestDone done) {
  const std::uint64_t call = next_++;
  asked_.emplace(call, Asked{std::move(done), std::string(channel)});
  core.request(now, call, peer, channel, data, deadline);
}

void Dispatcher::settle(node::Node& core, Instant now, const node::RequestSettled& settled) {
  const auto it = asked_.find(settled.call);
  if (it == asked_.end()) return;
  Asked asked = std::move(it->second);
  asked_.erase(it);
  if (!settled.reply) return asked.done(Fail(settled.reply.error()));
  asked.done(Message::owning(settled.peer, name_of(core, now, settled.peer),
                             std::move(asked.channel), *settled.reply));
}

void Dispatcher::settle(const node::AckSettled& settled) {
  const auto it = acked_.find(settled.call);
  if (it == acked_.end()) return;
  AckedCall& call = it->second;
  if (settled.error) call.failed.push_back({settled.peer_text, *settled.error});
  const auto open = std::ranges::find(call.open, settled.peer_text);
  if (open != call.open.end()) call.open.erase(open);
  if (!call.open.empty()) return;
  AckedCall settled_call = std::move(call);
  acked_.erase(it);  // first: `done` may send
  settled_call.done(std::move(settled_call.failed));
}

void Dispatcher::fail_all() {
  for (auto& [number, call] : std::exchange(acked_, {})) {
    for (const std::string& peer : call.open) {
      call.failed.push_back(
          {peer, {Errc::kClosed, "the node was closed; whether it arrived is unknown", ""}});
    }
    call.done(std::move(call.failed));
  }
  for (auto& [number, asked] : std::exchange(asked_, {})) {
    asked.done(
        Fail(Error{Errc::kClosed, "the node was closed; whether it was done is unknown", ""}));
  }
}

}  // namespace ginnel::api
