// `POST /v1/watch`: what happens to the node, for programs that are attached to it. A line per
// event of the kind that was asked for (runtime/control/README.md).
//
// Lives on the loop's thread.
#pragma once
#include <map>
#include <nlohmann/json.hpp>

#include "node/node.h"
#include "runtime/control/message.h"

namespace ginnel::runtime {

class Daemon;

class WatchApi {
 public:
  explicit WatchApi(Daemon& daemon) : daemon_(daemon) {}

  // False: not its path.
  bool answer(const control_api::Request& request, const nlohmann::json& body,
              const control_api::Responder& responder);
  void handle(const node::Event& event);

 private:
  using json = nlohmann::json;

  // One stream; as many as the server has connections.
  struct Watcher {
    control_api::Responder responder;
    std::string event;
  };

  bool is_watched(const char* event) const;
  void write(const char* event, const json& line);

  Daemon& daemon_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Watcher> watchers_;
};

}  // namespace ginnel::runtime
