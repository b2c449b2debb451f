// The smallest hosts: one that answers, and one that a test speaks through.
//
//   auto& pinger = world.host<Pinger>(id);
//   pinger.send({.to = target, .bytes = to_vector(bytes_of("hello")), .ttl = 2});
//   world.poke(id);
//   world.run_for(1s);
//   pinger.received();
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "sim/host.h"

namespace ginnel::sim {

// One datagram that a test host is to send, or got.
struct Letter {
  Endpoint to;
  ByteVector bytes;
  std::uint8_t ttl = 0;  // 0: the default
  PathId path;
  Address source;  // unspecified: the machine chooses
};
struct Received {
  Instant at;
  Arrival arrival;
  ByteVector bytes;
};

// Sends letters in order; the part that all test hosts share.
class LetterHost : public Host {
 public:
  void start(const Clock& clock, Machine& machine) override;
  void handle_timeout(const Clock&) override {}
  std::optional<Instant> next_timeout() const override { return std::nullopt; }
  void drain(const Clock& clock, SendBatch& batch) override;
  void crash() override { outgoing_.clear(); }

  void send(Letter letter) { outgoing_.push_back(std::move(letter)); }

 protected:
  explicit LetterHost(std::uint16_t port) : port_(port) {}
  Machine& machine() { return *machine_; }

 private:
  std::uint16_t port_;
  Machine* machine_ = nullptr;  // set by start
  std::deque<Letter> outgoing_;
};

// Sends back what it gets, from the address that it came to.
class EchoHost : public LetterHost {
 public:
  explicit EchoHost(std::uint16_t port) : LetterHost(port) {}
  void handle_datagram(const Clock& clock, const Arrival& arrival, Bytes bytes) override;
  std::size_t echoed() const { return echoed_; }

 private:
  std::size_t echoed_ = 0;
};

// Sends letters, at once or at an interval, and keeps what comes.
class Pinger : public LetterHost {
 public:
  explicit Pinger(std::uint16_t port) : LetterHost(port) {}

  // From `first` on, `count` times.
  struct Series {
    Letter letter;
    Instant first;
    Nanoseconds interval = 1s;
    std::size_t count = 1;
  };
  void send_series(Series series) { series_.push_back(std::move(series)); }

  void start(const Clock& clock, Machine& machine) override;
  void handle_datagram(const Clock& clock, const Arrival& arrival, Bytes bytes) override;
  void handle_timeout(const Clock& clock) override;
  std::optional<Instant> next_timeout() const override;
  void crash() override;
  void handle_too_big(const Clock&, const TooBig& what) override { too_big_.push_back(what); }
  void handle_network_change(const Clock&) override { ++network_changes_; }

  const std::vector<Received>& received() const { return received_; }
  const std::vector<TooBig>& too_big() const { return too_big_; }
  std::size_t network_changes() const { return network_changes_; }
  std::size_t starts() const { return starts_; }  // the "disk": survives crashes
  Wall last_wall() const { return last_wall_; }   // at the last datagram or timeout

 private:
  std::vector<Series> series_;
  std::vector<Received> received_;
  std::vector<TooBig> too_big_;
  std::size_t network_changes_ = 0;
  std::size_t starts_ = 0;
  Wall last_wall_{};
};

}  // namespace ginnel::sim
