#include "runtime/gossip/transport_driver.h"

#include "base/drain.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "proto/swim/limits.h"

namespace ginnel::gossip {

TransportDriver::TransportDriver(swim::AgentConfig config, std::shared_ptr<Transport> transport,
                                 std::vector<crypto::AesKey> keys, SocketDriver::OnEvent handler)
    : config_(std::move(config)), transport_(std::move(transport)), keys_(std::move(keys)),
      handler_(std::move(handler)), buffer_(swim::kDatagramBytesMax) {}

Result<void, Error> TransportDriver::open() {
  const auto address = Endpoint::parse(transport_->address());
  if (!address) {
    return Fail(Error{Errc::kUsage, "transport: its address " + transport_->address() +
                                        " is no ADDR:PORT", ""});
  }
  config_.swim.advertise = *address;
  auto loop = io::EventLoop::make();
  if (!loop) return Fail(loop.error());
  loop_ = *std::move(loop);
  const auto key = io::entropy();
  if (!key) return Fail(key.error());
  agent_ = std::make_unique<swim::Agent>(config_, Rng(*key));
  for (crypto::AesKey& ring_key : keys_) (void)agent_->keys().install(std::move(ring_key));
  keys_.clear();
  alarm_ = loop_->add_alarm([this] { agent_->handle_timeout(io::now()); });
  loop_->after_round([this] {
    take_inbox();
    pump();
  });
  return {};
}

Result<void, Error> TransportDriver::start() {
  if (auto done = transport_->start(*this); !done) return done;
  started_ = true;
  agent_->set_clock(io::now(), io::wall());
  agent_->start(io::now());
  pump();
  return {};
}

void TransportDriver::stop() {
  if (std::exchange(started_, false)) transport_->stop();
}

void TransportDriver::put(std::function<void()> task, bool droppable) {
  {
    const std::lock_guard lock(mutex_);
    if (droppable && inbox_.size() >= kInboxMax) return;
    inbox_.push_back(std::move(task));
  }
  loop_->wake();
}

void TransportDriver::take_inbox() {
  std::deque<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(inbox_);
  }
  for (const auto& task : tasks) {
    task();
    pump();
  }
}

void TransportDriver::on_datagram(std::string from, Data bytes) {
  put([this, from = std::move(from), bytes = std::move(bytes)]() mutable {
    const auto source = Endpoint::parse(from);
    if (source) agent_->handle_datagram(io::now(), kSocket, *source, bytes);
  }, true);
}

void TransportDriver::on_accepted(Stream stream, std::string from) {
  put([this, stream, from = std::move(from)] {
    const auto source = Endpoint::parse(from);
    const auto id = source ? agent_->accept_stream(io::now(), *source) : std::nullopt;
    if (!id) return transport_->close(stream);
    outward_[*id] = stream;
    inward_[stream] = *id;
  }, false);
}

void TransportDriver::on_data(Stream stream, Data bytes) {
  put([this, stream, bytes = std::move(bytes)] {
    const auto it = inward_.find(stream);
    if (it != inward_.end()) agent_->handle_stream_data(io::now(), it->second, bytes);
  }, false);
}

void TransportDriver::on_closed(Stream stream, bool failed) {
  put([this, stream, failed] {
    const auto it = inward_.find(stream);
    if (it == inward_.end()) return;
    const swim::StreamId id = it->second;
    forget(stream);
    agent_->handle_stream_closed(io::now(), id,
                                 failed ? swim::StreamEnd::kFailed : swim::StreamEnd::kClosed);
  }, false);
}

void TransportDriver::forget(Stream stream) {
  const auto it = inward_.find(stream);
  if (it == inward_.end()) return;
  outward_.erase(it->second);
  inward_.erase(it);
}

void TransportDriver::pump() {
  if (std::exchange(pumping_, true)) return;  // a handler may call again; the loop below goes on
  const Instant now = io::now();
  agent_->set_clock(now, io::wall());
  Outbox outbox{*this};
  std::optional<Instant> next;
  for (bool more = true; more;) {
    more = false;
    next = drain(*agent_, now, outbox, [&](const swim::AgentEvent& event) {
      handle(event);
      more = true;
    });
  }
  loop_->set(alarm_, next);
  pumping_ = false;
}

void TransportDriver::handle(const swim::AgentEvent& event) {
  const auto* inner = std::get_if<swim::Event>(&event);
  if (inner == nullptr) return handler_(event);
  if (const auto* open = std::get_if<swim::StreamOpen>(inner)) {
    const Stream stream = transport_->dial(open->to.text());
    outward_[open->stream] = stream;
    inward_[stream] = open->stream;
  } else if (const auto* write = std::get_if<swim::StreamWrite>(inner)) {
    const auto it = outward_.find(write->stream);
    if (it != outward_.end()) transport_->write(it->second, write->bytes);
  } else if (const auto* close = std::get_if<swim::StreamClose>(inner)) {
    const auto it = outward_.find(close->stream);
    if (it == outward_.end()) return;
    const Stream stream = it->second;
    forget(stream);
    transport_->close(stream);
  } else {
    handler_(event);
  }
}

}  // namespace ginnel::gossip
