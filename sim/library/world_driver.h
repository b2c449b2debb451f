// Runs the node of a simulated machine for the library: the world's time is the driver's.
//
// One thread. `busy` is the network's: an event is being handled, and the world is in the middle of
// it.
#pragma once
#include "api/driver.h"
#include "sim/node_host.h"
#include "sim/world.h"

namespace ginnel::sim {

class WorldDriver final : public api::Driver {
 public:
  // The machine runs and has joined; `world` and `busy` outlive this.
  WorldDriver(World& world, MachineId machine, bool& busy)
      : world_(world), machine_(machine), busy_(busy) {}
  ~WorldDriver() override { close(); }

  void start(EventHandler handler) override;
  bool with_core(const Work& work) override;
  bool wait_until(const Condition& condition, Nanoseconds limit) override;
  void run() override;
  void stop() override { stopped_ = true; }
  void close() override;

 private:
  NodeHost& host() { return world_.host<NodeHost>(machine_); }

  World& world_;
  const MachineId machine_;
  bool& busy_;
  bool stopped_ = false;
  bool closed_ = false;
};

}  // namespace ginnel::sim
