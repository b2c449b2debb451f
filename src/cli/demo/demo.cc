// The walk: signals become readable, the stage is set, the scenes play one after the other;
// whatever way they end, the daemons end before the world does, and the world before its folder.
#include "cli/demo/demo.h"

#include <chrono>
#include <csignal>

#include "cli/demo/scenes.h"
#include "io/signals.h"

namespace ginnel::cli::demo {
namespace {

using Clock = std::chrono::steady_clock;

std::string seconds_text(Clock::duration length) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(length).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

Outcome verdict(Story& story, Clock::time_point start) {
  const auto took = seconds_text(Clock::now() - start);
  if (story.failures().empty()) {
    story.say("\nEvery step did what it should, in " + took + ".");
    return 0;
  }
  std::string list;
  for (const std::string& what : story.failures()) list += (list.empty() ? "" : ", ") + what;
  return Fail(Error{Errc::kInternal, "demo: not every step did what it should: " + list,
                    "see above what failed, and the end of its log"});
}

}  // namespace

Outcome run_demo(Context& context, const Arguments& arguments) {
  const auto start = Clock::now();
  auto signals = io::Signals::block({SIGINT, SIGTERM, SIGHUP});
  if (!signals) return Fail(signals.error());
  auto stage = set_stage({context.root, arguments.has("--loopback"), signals->fd()});
  if (!stage) return Fail(stage.error());
  Story story(context, {stage->folder.path(), signals->fd()});
  {
    Scenes scenes(story, *stage);
    if (auto played = scenes.play(); !played && played.error().code == Errc::kCancelled)
      return Fail(played.error());
  }
  return verdict(story, start);
}

}  // namespace ginnel::cli::demo
