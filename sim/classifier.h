// Finds out from inside what kind of NAT a machine is behind, as RFC 5780 does, so that a preset is
// proven before a test trusts it. Two hosts: a server with two addresses and two ports, and the
// client that asks it:
//
//  1. one socket asks three of the server's endpoints what they see  -> mapping, and the ports'
//  step
//  2. fresh sockets ask for an answer from elsewhere                  -> filtering
//  3. a socket writes to another one's outside endpoint               -> hairpin
//
//   world.run_for(Classifier::kTakes);
//   world.host<Classifier>(client).result();
#pragma once
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "sim/nat_config.h"
#include "sim/test_hosts.h"

namespace ginnel::sim {

// Answers on both ports of both addresses with the endpoint it saw; when asked to, from the other
// port, or from the other address and port.
class ObservingServer : public LetterHost {
 public:
  static constexpr std::uint16_t kPort = 3478;
  static constexpr std::uint16_t kOtherPort = 3479;

  ObservingServer() : LetterHost(kPort) {}
  void start(const Clock& clock, Machine& machine) override;
  void handle_datagram(const Clock& clock, const Arrival& arrival, Bytes bytes) override;
};

class Classifier : public LetterHost {
 public:
  static constexpr std::uint16_t kPort = 7700;
  static constexpr Nanoseconds kTakes = 5s;

  struct Result {
    bool udp = false;  // anything came back at all
    bool translated = false;
    Mapping mapping = Mapping::kNone;
    Filtering filtering = Filtering::kAddressAndPortDependent;
    bool hairpin = false;
    bool preserves_port = false;
    std::vector<std::uint16_t> ports;  // as seen, in the order of the questions
  };

  // The server's two addresses.
  explicit Classifier(const std::array<Address, 2>& server) : LetterHost(kPort), server_(server) {}

  void start(const Clock& clock, Machine& machine) override;
  void handle_datagram(const Clock& clock, const Arrival& arrival, Bytes bytes) override;
  void handle_timeout(const Clock& clock) override;
  std::optional<Instant> next_timeout() const override { return next_; }

  Result result() const;

 private:
  enum class Question : std::uint8_t {
    kSame,          // main address, main port; answer from there
    kOtherPort,     // main address, other port
    kOtherAddress,  // other address, main port
    kFromPort,      // fresh socket: answer from the main address's other port
    kFromAddress,   // fresh socket: answer from the other address and port
    kHairpin,       // to the outside endpoint of kSame
    kCount,
  };
  void ask(Question question);

  std::array<Address, 2> server_;
  std::optional<Instant> next_;
  std::uint8_t step_ = 0;  // the next Question
  Address local_;
  std::map<std::uint8_t, Endpoint> seen_;  // by Question that was answered
};

}  // namespace ginnel::sim
