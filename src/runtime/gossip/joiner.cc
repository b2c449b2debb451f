#include "runtime/gossip/joiner.h"

#include <charconv>

#include "io/clock.h"
#include "runtime/resolve.h"

namespace ginnel::gossip {
namespace {

constexpr Nanoseconds kRetry = 1s;

Errc code_of(swim::JoinError error) {
  switch (error) {
    case swim::JoinError::kUnreachable:
      return Errc::kUnreachable;
    case swim::JoinError::kTimeout:
      return Errc::kTimeout;
    case swim::JoinError::kVersions:
      return Errc::kWrongApp;
    case swim::JoinError::kRefused:
    case swim::JoinError::kVetoed:
      return Errc::kDenied;
    case swim::JoinError::kBusy:
      return Errc::kWouldBlock;
  }
  return Errc::kInternal;
}

}  // namespace

std::pair<std::string, std::uint16_t> split_address(const std::string& text,
                                                    std::uint16_t default_port) {
  if (const auto endpoint = Endpoint::parse(text))
    return {endpoint->address.text(), endpoint->port};
  if (Address::parse(text)) return {text, default_port};
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + colon + 1, end, port);
    if (read.ec == std::errc{} && read.ptr == end) return {text.substr(0, colon), port};
  }
  return {text, default_port};
}

Joiner::Joiner(Engine& engine, std::vector<std::string> addresses, Handlers handlers)
    : engine_(engine),
      addresses_(std::move(addresses)),
      handlers_(std::move(handlers)),
      alarm_(engine.loop().add_alarm([this] { attempt(); })) {}

Joiner::~Joiner() {
  if (resolver_.joinable()) resolver_.join();
}

void Joiner::start() {
  if (!addresses_.empty()) attempt();
}

void Joiner::attempt() {
  if (joined_) return;
  engine_.loop().set(alarm_, io::now() + kRetry);
  if (std::exchange(resolving_, true)) return;
  if (resolver_.joinable()) resolver_.join();
  resolver_ = std::thread([this] {
    Resolved resolved;
    for (const std::string& address : addresses_) {
      const auto [host, port] = split_address(address, swim::kDefaultPort);
      resolved.emplace_back(address, runtime::resolve(host, port));
    }
    engine_.loop().post([this, resolved = std::move(resolved)] { try_all(resolved); });
  });
}

void Joiner::try_all(const Resolved& resolved) {
  resolving_ = false;
  if (joined_) return;
  for (const auto& [address, endpoints] : resolved) {
    if (endpoints.empty()) fail(address, Errc::kUnreachable, "the name cannot be resolved");
    for (const Endpoint& endpoint : endpoints) {
      if (joined_ || under_way_.contains(endpoint)) continue;
      under_way_.emplace(endpoint, address);
      engine_.agent().join(io::now(), endpoint);
    }
  }
  engine_.pump();
  check_all_failed();
}

void Joiner::handle(const swim::Event& event) {
  if (const auto* done = std::get_if<swim::JoinDone>(&event)) {
    under_way_.erase(done->via);
    if (!std::exchange(joined_, true)) handlers_.joined(done->via);
    return;
  }
  const auto* failed = std::get_if<swim::JoinFailed>(&event);
  if (failed == nullptr) return;
  const auto it = under_way_.find(failed->via);
  if (it == under_way_.end()) return;
  const std::string address = it->second;
  under_way_.erase(it);
  if (joined_) return;
  fail(address, code_of(failed->error), failed->why);
  check_all_failed();
}

void Joiner::fail(const std::string& address, Errc code, const std::string& text) {
  const std::string reason = std::string(code_name(code)) + text;
  const auto [it, first] = last_reason_.emplace(address, reason);
  if (!first && std::exchange(it->second, reason) == reason) return;
  handlers_.failed(address, code, text);
}

void Joiner::check_all_failed() {
  if (joined_ || reported_all_ || !under_way_.empty() || resolving_) return;
  if (last_reason_.size() < addresses_.size()) return;
  reported_all_ = true;
  handlers_.all_failed();
}

}  // namespace ginnel::gossip
