// One member on this machine: the agent, its UDP and TCP sockets, and the loop that moves both.
//
//   Engine engine(config, bind);
//   engine.on_event([&](const swim::AgentEvent& e) { … });
//   engine.open();
//   engine.loop().run();
//
// The loop's thread only. After a call to agent() from outside a handler: pump().
#pragma once
#include "proto/swim/agent.h"
#include "runtime/gossip/outbox.h"
#include "runtime/gossip/stream_table.h"

namespace ginnel::gossip {

class Engine {
 public:
  // The agent's Config::advertise with port 0 takes the port of the sockets; without an address
  // also that.
  Engine(swim::AgentConfig config, const Endpoint& bind);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  void on_event(std::function<void(const swim::AgentEvent&)> handler) {
    handler_ = std::move(handler);
  }
  // Keys that are installed before the first packet.
  void set_keys(std::vector<crypto::AesKey> keys) { keys_ = std::move(keys); }
  // Errors: kPortBusy, kPermission, kConfigValue, kInternal.
  Result<void, Error> open();
  // From here on the member is one.
  void start();

  io::EventLoop& loop() { return *loop_; }
  swim::Agent& agent() { return *agent_; }
  Endpoint local() const { return udp_->local(); }
  const Endpoint& advertise() const { return config_.swim.advertise; }
  const Outbox& outbox() const { return *outbox_; }
  std::uint64_t received() const { return received_; }
  std::uint64_t received_bytes() const { return received_bytes_; }
  std::size_t stream_count() const { return streams_->size(); }

  // Moves what the agent has to say.
  void pump();

 private:
  Result<void, Error> open_sockets();
  void receive();
  void accept();
  void pause_accepting();
  void handle(const swim::AgentEvent& event);
  bool handle_stream_event(const swim::Event& event);

  swim::AgentConfig config_;
  Endpoint bind_;
  std::vector<crypto::AesKey> keys_;
  std::function<void(const swim::AgentEvent&)> handler_;
  std::unique_ptr<io::EventLoop> loop_;
  std::unique_ptr<io::UdpSocket> udp_;
  std::unique_ptr<io::TcpListener> tcp_;
  std::unique_ptr<swim::Agent> agent_;
  std::optional<Outbox> outbox_;
  std::unique_ptr<StreamTable> streams_;
  std::optional<io::ReceiveBatch> batch_;
  io::Alarm alarm_;
  io::Alarm accept_again_;
  bool pumping_ = false;
  std::uint64_t received_ = 0;
  std::uint64_t received_bytes_ = 0;
};

}  // namespace ginnel::gossip
