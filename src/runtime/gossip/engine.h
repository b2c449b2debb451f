// One member on this machine: the agent, its sockets (UDP and TCP, or TCP alone), and the loop that
// moves both.
//
//   Engine engine(config, bind, Carrier::kUdp);
//   engine.on_event([&](const swim::AgentEvent& e) { … });
//   engine.open();
//   engine.loop().run();
//
// The loop's thread only. After a call to agent() from outside a handler: pump().
#pragma once
#include "io/udp_socket.h"
#include "proto/swim/agent.h"
#include "runtime/gossip/datagrams.h"
#include "runtime/gossip/stream_table.h"

namespace ginnel::gossip {

class Engine {
 public:
  // The agent's Config::advertise with port 0 takes the port of the sockets; without an address
  // also that.
  Engine(swim::AgentConfig config, const Endpoint& bind, Carrier carrier);
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
  Endpoint local() const { return tcp_->local(); }
  const Endpoint& advertise() const { return config_.swim.advertise; }
  const Datagrams& datagrams() const { return *datagrams_; }
  std::size_t stream_count() const { return streams_->size(); }

  // Moves what the agent has to say.
  void pump();

 private:
  Result<std::unique_ptr<io::UdpSocket>, Error> open_sockets();
  Result<void, Error> open_carrier(std::unique_ptr<io::UdpSocket> udp);
  Result<void, Error> open_agent();
  void open_streams();
  void accept();
  void accept(io::TcpStream stream, ConstBytes first);
  void pause_accepting();
  void handle(const swim::AgentEvent& event);
  bool handle_stream_event(const swim::Event& event);

  swim::AgentConfig config_;
  Endpoint bind_;
  Carrier carrier_;
  std::vector<crypto::AesKey> keys_;
  std::function<void(const swim::AgentEvent&)> handler_;
  std::unique_ptr<io::EventLoop> loop_;
  std::unique_ptr<io::TcpListener> tcp_;
  std::unique_ptr<swim::Agent> agent_;
  std::unique_ptr<Datagrams> datagrams_;
  std::unique_ptr<StreamTable> streams_;
  io::Alarm alarm_;
  io::Alarm accept_again_;
  bool pumping_ = false;
};

}  // namespace ginnel::gossip
