#include "cli/demo/story.h"

#include <algorithm>
#include <cctype>

namespace ginnel::cli::demo {
namespace {

constexpr const char* kSelf = "/proc/self/exe";  // the same program, also when it was replaced

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-_./:,=@%+").find(c) != std::string_view::npos;
}

Words with_dir(const Actor& actor, const Words& words) {
  Words out = {"ginnel", "--dir", actor.name};
  out.insert(out.end(), words.begin(), words.end());
  return out;
}

}  // namespace

std::string shell_quoted(std::string_view word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') out += "'\\''";
    else out += c;
  }
  return out + "'";
}

void Story::heading(std::string_view text) {
  const bool bold = context_.colour;
  const std::string line = "== " + std::string(text);
  say("\n" + (bold ? "\x1b[1m" + line + "\x1b[0m" : line));
}

void Story::say(std::string_view text) { context_.out << text << "\n" << std::flush; }

void Story::show_command(const Words& words, std::string_view tail) {
  std::string line = "$";
  for (const std::string& word : words) line += " " + shell_quoted(word);
  say(line + std::string(tail));
}

Command Story::command(const Actor& actor, const Words& words) const {
  Command out{words, place_.folder, actor.network, actor.hosts, "", ""};
  if (words[0] == "ginnel") out.words[0] = kSelf;
  return out;
}

Patience Story::patience(std::chrono::milliseconds length) const {
  return {std::chrono::steady_clock::now() + length, place_.interrupt_fd};
}

Error Story::failed(std::string_view what, const Error& why) {
  if (why.code == Errc::kCancelled) return why;
  say("FAILED: " + std::string(what) + ": " + why.text);
  failures_.emplace_back(what);
  return why;
}

Result<std::string, Error> Story::ginnel(const Actor& actor, const Words& words) {
  return program(actor, with_dir(actor, words));
}

Result<std::string, Error> Story::program(const Actor& actor, const Words& words) {
  show_command(words, "");
  auto process = Process::start(command(actor, words));
  const std::string what = words[0] == "ginnel" ? words[0] + " " + words[3] : words[0];
  if (!process) return Fail(failed(what, process.error()));
  return foreground(*process, what);
}

Result<std::string, Error> Story::foreground(Process& process, std::string_view what) {
  auto ended = process.finish(patience(kCommandMax), [&](std::string_view line) { say(line); });
  if (!ended) return Fail(failed(what, ended.error()));
  if (ended->code == 0) return std::move(ended->output);
  return Fail(failed(what, {Errc::kInternal, "exit " + std::to_string(ended->code), ""}));
}

Result<void, Error> Story::ginnel_into(const Actor& actor, const Words& words,
                                       const std::string& file) {
  show_command(with_dir(actor, words), " > " + shell_quoted(file));
  Command quiet = command(actor, with_dir(actor, words));
  quiet.output = place_.folder + "/" + file;
  const auto done = run_quietly(quiet, patience(kCommandMax));
  if (!done) return Fail(failed("ginnel " + words[0], done.error()));
  return {};
}

Result<Process, Error> Story::background(const Actor& actor, const Words& words,
                                         const std::string& log) {
  show_command(with_dir(actor, words), log.empty() ? " &" : " 2> " + shell_quoted(log) + " &");
  Command command = this->command(actor, with_dir(actor, words));
  if (!log.empty()) command.output = place_.folder + "/" + log;
  auto process = Process::start(command);
  if (!process) return Fail(failed("ginnel " + words[0], process.error()));
  return process;
}

Result<std::string, Error> Story::quietly(const Actor& actor, const Words& words) {
  return run_quietly(command(actor, words), patience(kCommandMax));
}

}  // namespace ginnel::cli::demo
