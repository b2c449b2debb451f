// The scenes of the story, in order. A scene that others need ends the story when it fails; any
// other only counts.
#pragma once
#include <ginnel/error.h>

#include <string>
#include <vector>

#include "cli/demo/stage.h"
#include "cli/demo/story.h"

namespace ginnel::cli::demo {

class Scenes {
 public:
  Scenes(Story& story, const Stage& stage) : story_(story), stage_(stage) {}
  ~Scenes();  // ends the daemons that still run

  // Errors: kCancelled, or what ended the story early (told and counted by it already).
  Result<void, Error> play();

 private:
  using Done = Result<void, Error>;
  void describe();
  Done start_hub();
  Done start_peers();
  Done start_peer(const Actor& actor, std::string& id);
  Done start_daemon(const Actor& actor);
  Done socket_opens(const Actor& actor);
  Done look();
  Done turn_direct();
  Done messages();
  Done exchange(const Actor& source, const Actor& target, const std::string& target_id);
  Done ip_ping();
  Done tcp();
  Done explain();
  Done leave();
  void show_logs();
  std::string overlay_address(const Actor& of, const Actor& asked);

  Story& story_;
  const Stage& stage_;
  std::vector<Process> daemons_;
  std::string alice_id_, bob_id_;
};

}  // namespace ginnel::cli::demo
