// Keeps trying to join until one of the addresses answers: all of them at once, again each second.
//
//   Joiner joiner(engine, {"10.0.0.2", "seed.example:7946"}, {...});
//   joiner.start();
//   joiner.handle(event);         // JoinDone and JoinFailed of the agent's
//
// Names are resolved on a thread of their own, since the system's resolver waits.
#pragma once
#include <map>
#include <set>
#include <thread>

#include "runtime/gossip/engine.h"

namespace ginnel::gossip {

class Joiner {
 public:
  struct Handlers {
    std::function<void(const Endpoint& via)> joined;  // the first one that answered
    // The first failure of an address, and each with another reason.
    std::function<void(const std::string& address, Errc code, const std::string& text)> failed;
    std::function<void()> all_failed;  // each address once; only the first time
  };

  Joiner(Engine& engine, std::vector<std::string> addresses, Handlers handlers);
  ~Joiner();
  Joiner(const Joiner&) = delete;
  Joiner& operator=(const Joiner&) = delete;

  void start();
  void handle(const swim::Event& event);
  bool is_joined() const { return joined_; }

 private:
  using Resolved = std::vector<std::pair<std::string, std::vector<Endpoint>>>;

  void attempt();
  void try_all(const Resolved& resolved);
  void fail(const std::string& address, Errc code, const std::string& text);
  void check_all_failed();

  Engine& engine_;
  std::vector<std::string> addresses_;
  Handlers handlers_;
  io::Alarm alarm_;
  std::thread resolver_;  // running, or done and not yet joined
  bool resolving_ = false;
  bool joined_ = false;
  bool reported_all_ = false;
  std::map<Endpoint, std::string> under_way_;       // to the address as it was given
  std::map<std::string, std::string> last_reason_;  // by address
};

// "ADDR", "ADDR:PORT", "NAME", "NAME:PORT", "V6", "[V6]:PORT" as host and port.
std::pair<std::string, std::uint16_t> split_address(const std::string& text,
                                                    std::uint16_t default_port);

}  // namespace ginnel::gossip
