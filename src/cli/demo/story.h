// How the demo tells what it does: a heading, a sentence, a command with its output, a failure.
//
// What stands below a `$ …` line is what that program printed, as it came.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "cli/demo/process.h"

namespace ginnel::cli::demo {

// A node of the story. Its --dir is its name, in the folder of the story.
struct Actor {
  std::string name;
  std::string network;  // where it lives; empty: here
  std::string hosts;    // its /etc/hosts; empty: the machine's
};

using Words = std::vector<std::string>;

// As a shell takes it: in single quotes where there is need.
std::string shell_quoted(std::string_view word);

class Story {
 public:
  struct Place {
    std::string folder;     // where all commands run
    int interrupt_fd = -1;  // readable: nothing is started any more
  };
  Story(Context& context, Place place) : context_(context), place_(std::move(place)) {}

  void heading(std::string_view text);
  void say(std::string_view text);

  // Prints `$ ginnel --dir NAME WORDS` and what it prints, live. Its output; an error when it did
  // not exit 0 within kCommandMax, which is told and counted already.
  Result<std::string, Error> ginnel(const Actor& actor, const Words& words);
  // The same for a program of the system.
  Result<std::string, Error> program(const Actor& actor, const Words& words);
  // `… > FILE`: its output goes to the file, and nothing is shown.
  Result<void, Error> ginnel_into(const Actor& actor, const Words& words, const std::string& file);
  // `… &`: starts it and goes on. With `log`, `… 2> LOG &`.
  Result<Process, Error> background(const Actor& actor, const Words& words,
                                    const std::string& log = "");
  // Shows what a background command prints until it ends; as ginnel().
  Result<std::string, Error> foreground(Process& process, std::string_view what);
  // Runs a command for the demo's own use: nothing is printed or counted.
  Result<std::string, Error> quietly(const Actor& actor, const Words& words);

  // Tells that a step did not do what it should, and counts it.
  Error failed(std::string_view what, const Error& why);
  const std::vector<std::string>& failures() const { return failures_; }
  Patience patience(std::chrono::milliseconds length) const;

 private:
  Command command(const Actor& actor, const Words& words) const;
  void show_command(const Words& words, std::string_view tail);

  Context& context_;
  Place place_;
  std::vector<std::string> failures_;
};

// The longest step by far takes 10 s where nothing works (`ping --until-direct`).
inline constexpr std::chrono::seconds kCommandMax{20};

}  // namespace ginnel::cli::demo
