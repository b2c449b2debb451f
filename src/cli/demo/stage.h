// Where the story plays: behind two NATs in namespaces, or, where the system does not permit that,
// on loopback without TUN.
#pragma once
#include <ginnel/error.h>

#include <optional>
#include <string>

#include "cli/demo/story.h"
#include "cli/demo/world.h"

namespace ginnel::cli::demo {

// A folder of its own below TMPDIR, removed with all that is in it.
class Folder {
 public:
  static Result<Folder, Error> make();
  Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder();
  const std::string& path() const { return path_; }

 private:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

struct Stage {
  Folder folder;
  std::optional<World> world;  // none: loopback
  std::string why_loopback;
  std::string hub_endpoint;
  Actor hub, alice, bob;

  bool has_tun() const { return world.has_value(); }
};

struct StageOptions {
  bool root = false;
  bool loopback = false;  // asked for
  int interrupt_fd = -1;
};

// Errors: kFile (no temporary folder), kCancelled.
Result<Stage, Error> set_stage(const StageOptions& options);

}  // namespace ginnel::cli::demo
