// What moves a member's agent: its own sockets (Engine), or a program's Transport. And the loop that
// both live on. The loop's thread only, after open().
#pragma once
#include "runtime/gossip/engine.h"

namespace ginnel::gossip {

class MemberDriver {
 public:
  virtual ~MemberDriver() = default;
  virtual Result<void, Error> open() = 0;
  virtual io::EventLoop& loop() = 0;
  virtual swim::Agent& agent() = 0;
  virtual Result<void, Error> start() = 0;
  virtual void stop() = 0;
  virtual void pump() = 0;  // after each call of the agent
};

class SocketDriver final : public MemberDriver {
 public:
  using OnEvent = std::function<void(const swim::AgentEvent&)>;

  SocketDriver(swim::AgentConfig config, const Endpoint& bind, Carrier carrier,
               std::vector<crypto::AesKey> keys, OnEvent handler)
      : engine_(std::move(config), bind, carrier) {
    engine_.set_keys(std::move(keys));
    engine_.on_event(std::move(handler));
  }
  Result<void, Error> open() override { return engine_.open(); }
  io::EventLoop& loop() override { return engine_.loop(); }
  swim::Agent& agent() override { return engine_.agent(); }
  Result<void, Error> start() override { return engine_.start(), Result<void, Error>(); }
  void stop() override {}
  void pump() override { engine_.pump(); }

 private:
  Engine engine_;
};

}  // namespace ginnel::gossip
