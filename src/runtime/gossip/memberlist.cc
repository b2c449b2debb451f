// The public handle: each call to the member's thread and back.
#include <ginnel/memberlist.h>

#include "runtime/gossip/drop_error.h"
#include "runtime/gossip/memberlist_impl.h"
#include "runtime/gossip/refusal_error.h"

namespace ginnel::gossip {
namespace {

using swim::metadata::Key;
using swim::metadata::Refusal;
using swim::metadata::Space;
using swim::metadata::Version;

Error shut_down(std::string_view what) {
  return {Errc::kClosed, std::string(what) + ": the member was shut down", ""};
}

Key common_key(std::string_view name) { return {Space::kCommon, "", std::string(name)}; }

std::vector<MemberRow> rows_of(MemberlistImpl& impl, bool gone_too) {
  std::vector<MemberRow> out;
  impl.with([&](swim::Agent& agent, Instant) {
    for (const swim::MemberInfo& member : agent.members()) {
      const bool here =
          member.state == swim::State::kAlive || member.state == swim::State::kSuspect;
      if (here || gone_too) out.push_back(row_of(member));
    }
  });
  return out;
}

using Sending = std::function<Result<void, swim::Drop>(swim::Agent&, Instant)>;

// Under serf raw messages would be misread.
Result<void, Error> send_with(MemberlistImpl& impl, const std::string& what, const Sending& send) {
  Result<void, Error> out;
  const bool ran = impl.with([&](swim::Agent& agent, Instant now) {
    if (agent.app() == swim::App::kSerf) {
      out = Fail(Error{Errc::kWrongApp, what + ": serf would misread raw bytes", ""});
      return;
    }
    const auto sent = send(agent, now);
    if (!sent) out = Fail(drop_error(sent.error(), what));
  });
  return ran ? out : Result<void, Error>(Fail(shut_down(what)));
}

using Writing = std::function<Result<Version, Refusal>(swim::Agent&, Instant)>;

Result<std::string, Error> write_with(MemberlistImpl& impl, const Key& key,
                                      const Writing& writing) {
  Result<std::string, Error> out = Fail(shut_down("metadata"));
  impl.with([&](swim::Agent& agent, Instant now) {
    if (agent.app() != swim::App::kGinnel) {
      out = Fail(no_shared_data(agent.app(), "metadata"));
      return;
    }
    const auto done = writing(agent, now);
    if (done) out = done->text();
    else out = Fail(refusal_error(done.error(), key));
  });
  return out;
}

std::optional<Data> value_of(MemberlistImpl& impl, const Key& key) {
  std::optional<Data> out;
  impl.with([&](swim::Agent& agent, Instant) {
    if (auto item = agent.shared().get(key)) out = std::move(item->value);
  });
  return out;
}

// Empty: whatever is there.
Result<std::optional<Version>, Error> seen_of(std::string_view text) {
  if (text.empty()) return std::optional<Version>();
  auto version = Version::parse(text);
  if (version) return version;
  return Fail(Error{Errc::kUsage, "if_seen: this is no version", ""});
}

}  // namespace

Memberlist::Memberlist(std::unique_ptr<MemberlistImpl> impl) : impl_(std::move(impl)) {}
Memberlist::Memberlist(Memberlist&&) noexcept = default;
Memberlist& Memberlist::operator=(Memberlist&&) noexcept = default;
Memberlist::~Memberlist() = default;

Result<Memberlist, Error> Memberlist::create(MemberlistOptions options) {
  auto impl = MemberlistImpl::create(std::move(options));
  if (!impl) return Fail(impl.error());
  return Memberlist(*std::move(impl));
}

Result<std::size_t, Error> Memberlist::join(const std::vector<std::string>& addresses,
                                            Nanoseconds timeout) {
  return impl_->join(addresses, timeout);
}

Result<void, Error> Memberlist::leave(Nanoseconds timeout) { return impl_->leave(timeout); }
void Memberlist::shutdown() { impl_->shutdown(); }

std::vector<MemberRow> Memberlist::members() const { return rows_of(*impl_, false); }
std::vector<MemberRow> Memberlist::all_members() const { return rows_of(*impl_, true); }

std::string Memberlist::name() const {
  std::string out;
  impl_->with([&](swim::Agent& agent, Instant) { out = agent.swim().config().name; });
  return out;
}

std::string Memberlist::address() const {
  std::string out;
  impl_->with(
      [&](swim::Agent& agent, Instant) { out = agent.swim().config().advertise.text(); });
  return out;
}

int Memberlist::health_score() const {
  int out = 0;
  impl_->with([&](swim::Agent& agent, Instant) { out = agent.swim().health_score(); });
  return out;
}

// ---- messages ----

Result<void, Error> Memberlist::update_node(std::span<const std::byte> meta) {
  Result<void, Error> out = Fail(shut_down("update"));
  impl_->with([&](swim::Agent& agent, Instant now) {
    out = {};
    if (const auto set = agent.set_meta(now, meta); !set) {
      out = Fail(drop_error(set.error(), "update"));
    }
  });
  return out;
}

Result<void, Error> Memberlist::send_best_effort(std::string_view name,
                                                 std::span<const std::byte> message) {
  return send_with(*impl_, "send to " + std::string(name), [&](swim::Agent& agent, Instant now) {
    return agent.send_best_effort(now, name, message);
  });
}

Result<void, Error> Memberlist::send_reliable(std::string_view name,
                                              std::span<const std::byte> message,
                                              Nanoseconds timeout) {
  return impl_->send_reliable(name, message, timeout);
}

Result<void, Error> Memberlist::broadcast(std::span<const std::byte> message) {
  return send_with(*impl_, "broadcast", [&](swim::Agent& agent, Instant now) {
    return agent.broadcast(now, message);
  });
}

// ---- pekonode's verbs ----

Result<void, Error> Memberlist::publish(std::span<const std::byte> data) {
  const Key key{Space::kPublished, "", ""};
  const auto done = write_with(*impl_, key, [&](swim::Agent& agent, Instant now) {
    return agent.put(now, key, data);
  });
  return done ? Result<void, Error>() : Result<void, Error>(Fail(done.error()));
}

std::optional<Data> Memberlist::read() const {
  return value_of(*impl_, {Space::kPublished, "", ""});
}

void Memberlist::stop() {
  impl_->with([](swim::Agent& agent, Instant now) { agent.set_heartbeats(now, false); });
}

void Memberlist::start() {
  impl_->with([](swim::Agent& agent, Instant now) { agent.set_heartbeats(now, true); });
}

Result<void, Error> Memberlist::set(const std::string& address) {
  return impl_->add_seed(address);
}

// ---- shared keys ----

Result<std::string, Error> Memberlist::put(std::string_view key, std::span<const std::byte> value,
                                           std::string_view if_seen) {
  const auto seen = seen_of(if_seen);
  if (!seen) return Fail(seen.error());
  const Key wanted = common_key(key);
  return write_with(*impl_, wanted, [&](swim::Agent& agent, Instant now) {
    return agent.put(now, wanted, value, *seen);
  });
}

Result<std::string, Error> Memberlist::erase(std::string_view key, std::string_view if_seen) {
  const auto seen = seen_of(if_seen);
  if (!seen) return Fail(seen.error());
  const Key wanted = common_key(key);
  return write_with(*impl_, wanted, [&](swim::Agent& agent, Instant now) {
    return agent.erase(now, wanted, *seen);
  });
}

std::optional<Data> Memberlist::value(std::string_view key) const {
  return value_of(*impl_, common_key(key));
}

std::vector<std::string> Memberlist::keys(std::string_view prefix) const {
  std::vector<std::string> out;
  impl_->with([&](swim::Agent& agent, Instant) {
    for (const auto& item : agent.shared().list(common_key(prefix))) out.push_back(item.key.name);
  });
  return out;
}

}  // namespace ginnel::gossip
