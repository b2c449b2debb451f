// A network in one process and in virtual time, for tests of programs that use Ginnel: an hour
// takes seconds, and what happens follows from the seed.
//
//   ginnel::sim::Network net;
//   net.link("a", "b", {.loss = .05, .rtt = 80ms});
//   auto chat = net["b"].on_message("chat", [](const ginnel::Message& m) { … });
//   net["a"].send("b", "chat", "hello").value();
//   net.run_for(10s);
//
// The nodes are real ones: what runs on machines runs here, but for the sockets. A hub, "hub", is
// there from the start. Time goes on only in run_for(), run_until(), Node::wait_online() and
// Node::run(); handlers run then, and in them these return at once. Do not wait for a future: run
// until it is ready.
//
// One thread. Link with ginnel::sim.
#pragma once
#include <ginnel/node.h>

#include <memory>

// Inline, so that the simulator's own Network is another one.
namespace ginnel::sim {
inline namespace library {

// What packets meet on the way from one node to the other, in both directions alike.
struct LinkOptions {
  double loss = 0;                       // of each packet, 0 to 1; 1: nothing gets through
  std::chrono::nanoseconds rtt{0};       // there and back
  std::chrono::nanoseconds jitter{0};    // added one way, at random up to this
  std::uint64_t bits_per_second = 0;     // 0: as many as there are
};

// What stands between a node and the internet.
enum class Nat {
  kNone,
  kHome,       // its mappings do not depend on the other side: can be punched
  kSymmetric,  // they do: two of these need a hub
};

class Network {
 public:
  // More nodes are an assertion's end: their names would not fit into the simulator's addresses.
  static constexpr std::size_t kNodesMax = 200;

  explicit Network(std::uint64_t seed = 1);
  ~Network();  // every node leaves
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // A node by this name (1 to 63 of a-z, 0-9 and -), which has joined when this returns.
  Node& add(std::string_view name, Nat nat = Nat::kNone);
  // The same, added without a NAT if it is not there. The reference is good as long as the network.
  Node& operator[](std::string_view name);

  // The way between two nodes from now on; those that are not there are added. "hub" is one, too: a
  // link between two nodes says nothing of their ways to the hub, through which they talk at first,
  // and when the link between them is worse.
  void link(std::string_view a, std::string_view b, const LinkOptions& link);

  void run_for(std::chrono::nanoseconds time);
  // In steps of a millisecond, until it holds (true) or `limit` has passed.
  bool run_until(const std::function<bool()>& holds,
                 std::chrono::nanoseconds limit = std::chrono::minutes(1));
  // Since the network was made.
  std::chrono::nanoseconds now() const;

 private:
  struct World;
  std::unique_ptr<World> world_;
};

}  // namespace library
}  // namespace ginnel::sim
