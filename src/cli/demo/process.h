// A program that the demo runs: started by fork and exec, read line by line, ended by its own pid.
//
//   auto ping = Process::start({.words = {"ping", "-c", "3", "bob"}, .network = "gd7-alice"});
//   auto ended = ping->finish(patience, [](std::string_view line) { ... });
//
// The demo has one thread, so the child may allocate between fork and exec.
#pragma once
#include <ginnel/error.h>

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/fd.h"

namespace ginnel::cli::demo {

struct Command {
  std::vector<std::string> words;  // [0]: a path, or a name that is looked for in PATH
  std::string folder;              // its working directory; empty: ours
  std::string network;             // a network namespace by name; empty: ours
  std::string hosts;               // a file that it sees as /etc/hosts; empty: the machine's
  std::string input;               // its standard input, at most kInputMax bytes
  std::string output;              // a file that takes all it prints; empty: finish() reads it
};

// A pipe takes so much without a reader.
inline constexpr std::size_t kInputMax = 32 * 1024;

// How long somebody waits: until `end`, or until `interrupt_fd` is readable (-1: never).
struct Patience {
  std::chrono::steady_clock::time_point end;
  int interrupt_fd = -1;
};

struct Ended {
  int code = 0;        // the exit code; 128 + N after signal N, as a shell has it
  std::string output;  // standard output and error, at most kOutputMax bytes
};

inline constexpr std::size_t kOutputMax = std::size_t{1} << 20;  // what is more is shown, not kept

class Process {
 public:
  using OnLine = std::function<void(std::string_view)>;

  static Result<Process, Error> start(const Command& command);
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();  // a child that still runs is killed

  // Reads all that it prints and waits for its end. Errors: kTimeout, kCancelled (interrupted);
  // it still runs then.
  Result<Ended, Error> finish(const Patience& patience, const OnLine& on_line);
  // Asks it to end (SIGTERM), and kills it when it has not after `grace`.
  void stop(std::chrono::milliseconds grace);
  bool runs();

 private:
  Process(pid_t pid, io::Fd end, io::Fd output);
  bool reap(int options);

  pid_t pid_ = -1;  // -1: it has ended and was waited for
  int code_ = 0;
  io::Fd end_;     // a pidfd: readable once it has ended
  io::Fd output_;  // none: it prints to a file
};

// Runs a command to its end and keeps quiet about it. kInternal: it could not be started or it
// failed; the text has what it printed.
Result<std::string, Error> run_quietly(const Command& command, const Patience& patience);

}  // namespace ginnel::cli::demo
