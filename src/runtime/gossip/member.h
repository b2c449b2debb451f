// `ginnel gossip`: a member of a memberlist or serf cluster, in the foreground.
//
//   return run_gossip(options);      // the exit code, or why there is no member
//
// The walk: Engine (sockets, agent) -> Member::handle -> EventLog (lines) and GossipApi (those that
// wait). The control socket's and the HTTP server's threads only post to the loop.
#pragma once
#include <filesystem>

#include "io/file.h"
#include "io/signals.h"
#include "runtime/config/config.h"
#include "runtime/control/server.h"
#include "runtime/gossip/cluster_api.h"
#include "runtime/gossip/joiner.h"
#include "runtime/gossip/key_file.h"

namespace ginnel::gossip {

enum class Preset : std::uint8_t { kLan, kWan, kLocal };

struct Options {
  std::filesystem::path socket;  // of the control API; its folder is made
  Endpoint bind;
  std::optional<Endpoint> advertise;
  std::vector<std::string> join;
  bool join_once = false;  // end when no address answers
  std::string name;
  std::filesystem::path key_file;  // empty: no encryption
  std::string label;
  Preset preset = Preset::kLan;
  std::optional<swim::App> app;  // nullopt: auto
  swim::serf::Tags tags;
  std::optional<std::string> meta;
  std::optional<Endpoint> http;
  Carrier carrier = Carrier::kUdp;
  bool json = false;
  bool compress = true;
  config::Config::Log log;
};

class GossipApi;

class Member final : public ClusterHost {
 public:
  explicit Member(Options options);
  ~Member() override;
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  // Errors: kAlreadyRunning, kPortBusy, kPermission, kConfigValue, kFile, kKeyFileMode,
  // kKeyUnreadable, kUsage (no address to advertise).
  Result<void, Error> open();
  // Until it has left. Errors: kNameTaken, kUnreachable (join_once).
  Result<int, Error> run();

  // --- for the control API, on the loop's thread ---
  Engine& engine() { return engine_; }
  swim::Agent& agent() override { return engine_.agent(); }
  EventLog& events() override { return *events_; }
  io::EventLoop& loop() override { return engine_.loop(); }
  Result<void, Error> change_tags(const swim::serf::Tags& set,
                                  const std::vector<std::string>& del) override;
  void leave();
  bool has_keys() const { return keys_.has_value(); }

 private:
  struct DropsTold {
    std::uint64_t count = 0;
    Instant again;  // not told before
  };

  static swim::AgentConfig agent_config(const Options& options);
  Result<void, Error> open_folder();
  Result<void, Error> open_servers();
  Result<void, Error> watch_signals();
  void handle(const swim::AgentEvent& event);
  void handle_swim(const swim::Event& event);
  void say(std::string_view name, nlohmann::json more);
  void joined(const Endpoint& via);
  void name_taken(const swim::NameTaken& taken);
  void log_misfit(const swim::Misfit& misfit);
  void save_keys();
  void gone();
  void end(Result<int, Error> outcome);
  void watch_drops();

  Options options_;
  std::optional<io::LockFile> lock_;
  std::optional<io::Signals> signals_;
  std::optional<KeyFile> keys_;
  Engine engine_;
  std::unique_ptr<EventLog> events_;
  std::unique_ptr<Joiner> joiner_;
  std::unique_ptr<GossipApi> api_;
  std::unique_ptr<control_api::Server> control_;
  std::unique_ptr<control_api::Server> http_;
  Result<int, Error> outcome_ = 0;
  io::Alarm drops_alarm_;
  std::map<swim::Drop, DropsTold> drops_told_;
};

// Opens a member and runs it. Logs go to stderr.
Result<int, Error> run_gossip(Options options);

// The one private IPv4 address of this host. nullopt: none, or several.
std::optional<Address> single_private_address();

}  // namespace ginnel::gossip
