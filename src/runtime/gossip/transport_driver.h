// A member over a program's own Transport: its datagrams and streams to the agent and back.
//
// What the transport tells may come from any thread: it waits in the inbox until the loop's turn.
#pragma once
#include <ginnel/memberlist.h>

#include <deque>
#include <mutex>

#include "runtime/gossip/member_driver.h"

namespace ginnel::gossip {

class TransportDriver final : public MemberDriver, private Transport::Receiver {
 public:
  // Datagrams beyond it are lost, as in a full socket buffer. What streams bring is kept: the
  // agent bounds how much of it there can be.
  static constexpr std::size_t kInboxMax = 16'384;

  TransportDriver(swim::AgentConfig config, std::shared_ptr<Transport> transport,
                  std::vector<crypto::AesKey> keys, SocketDriver::OnEvent handler);
  ~TransportDriver() override { stop(); }

  // Errors: kUsage (the transport's address is no ADDR:PORT), kInternal.
  Result<void, Error> open() override;
  io::EventLoop& loop() override { return *loop_; }
  swim::Agent& agent() override { return *agent_; }
  Result<void, Error> start() override;
  void stop() override;
  void pump() override;

 private:
  using Stream = Transport::Stream;
  struct Outbox {  // of drain()
    TransportDriver& driver;
    Bytes slot() { return driver.buffer_; }
    void commit(const Transmit& t) {
      driver.transport_->send(t.to.text(), Bytes(driver.buffer_).first(t.size));
    }
  };

  void on_datagram(std::string from, Data bytes) override;
  void on_accepted(Stream stream, std::string from) override;
  void on_data(Stream stream, Data bytes) override;
  void on_closed(Stream stream, bool failed) override;

  void put(std::function<void()> task, bool droppable);
  void take_inbox();
  void handle(const swim::AgentEvent& event);
  void forget(Stream stream);

  swim::AgentConfig config_;
  std::shared_ptr<Transport> transport_;
  std::vector<crypto::AesKey> keys_;
  SocketDriver::OnEvent handler_;
  std::unique_ptr<io::EventLoop> loop_;
  std::unique_ptr<swim::Agent> agent_;
  io::Alarm alarm_;
  ByteVector buffer_;
  bool pumping_ = false;
  bool started_ = false;
  std::map<swim::StreamId, Stream> outward_;  // both ways of one relation
  std::map<Stream, swim::StreamId> inward_;
  std::mutex mutex_;  // guards inbox_
  std::deque<std::function<void()>> inbox_;
};

}  // namespace ginnel::gossip
