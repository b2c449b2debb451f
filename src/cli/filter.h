// A program that turns bytes into bytes: standard input in, standard output out, standard error ours.
//
//   Filter filter({"wc", "-c"}, {{"GINNEL_FROM_NAME", "alice"}});
//   auto out = filter.run(input);       // in a thread of its own
//
// Started by posix_spawn, so that several threads may run one each. Once.
#pragma once
#include <ginnel/error.h>

#include <sys/types.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ginnel::cli {

class Filter {
 public:
  using Variables = std::vector<std::pair<std::string, std::string>>;

  // What it prints beyond this is too much for a reply: it is ended and has failed.
  static constexpr std::size_t kOutputMax = (std::size_t{16} << 20) - 1;

  // `variables` are added to our environment.
  Filter(std::vector<std::string> words, Variables variables)
      : words_(std::move(words)), variables_(std::move(variables)) {}

  // Its output, once it has ended with 0. It need not read its input. Errors: kFile (it cannot be
  // started), kTooLarge, kReplyFailed (another end; the text says which).
  Result<std::string, Error> run(std::string_view input);
  // From any thread: it shall end (SIGTERM).
  void stop() const;

 private:
  Result<pid_t, Error> start(int input, int output) const;

  const std::vector<std::string> words_;
  const Variables variables_;
  std::atomic<pid_t> pid_ = -1;  // -1: it does not run
};

}  // namespace ginnel::cli
