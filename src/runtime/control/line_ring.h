// The last lines of something, and all that come, for whoever asks over the control socket: what
// `events`, `log` and their `-f` read.
//
//   LineRing ring;
//   ring.add(line);
//   ring.stream(responder, {.follow = true});   // those that are kept, then each new one
//
// Any thread. Copies are handles of one ring, so that a client that goes away late finds it.
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "runtime/control/message.h"

namespace ginnel::control_api {

class LineRing {
 public:
  // At either limit the oldest lines go.
  static constexpr std::size_t kLinesMax = 1000;
  static constexpr std::size_t kBytesMax = std::size_t{512} << 10;
  // One more reader gets what is kept and no more.
  static constexpr std::size_t kFollowersMax = 64;

  LineRing();

  // Without its newline.
  void add(std::string line) const;
  struct Wanted {
    bool follow = false;
    std::size_t last = kLinesMax;  // of those that are kept
  };
  void stream(const Responder& responder, const Wanted& wanted) const;
  // Ends every stream as one that is whole.
  void finish() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace ginnel::control_api
