#include "cli/run.h"

#include <algorithm>

#include "cli/help.h"
#include "cli/parse.h"
#include "runtime/control/error_document.h"

namespace ginnel::cli {

std::string error_text(const Error& error, bool json) {
  if (json) return control_api::error_document(error) + "\n";
  const std::size_t end = std::min(error.text.find('\n'), error.text.size());
  std::string out = end < error.text.size() ? error.text.substr(end + 1) + "\n" : "";
  out += "ginnel: " + error.text.substr(0, end) + " [" + std::string(code_name(error.code)) + "]\n";
  if (!error.hint.empty()) out += "  -> " + error.hint + "\n";
  return out;
}

namespace {

// ^C has no text: whoever pressed it knows.
constexpr int kInterrupted = 130;

int fail(Context& context, const Error& error, bool json) {
  context.out.flush();
  if (error.code == Errc::kCancelled) return kInterrupted;
  context.err << error_text(error, json) << std::flush;
  return exit_code(error.code);
}

// A hint that is a command is one to copy: it names the folder that this command was given.
std::string hint_in(const std::string& dir, const Error& error) {
  constexpr std::string_view kProgram = "ginnel ";
  if (error.hint.empty()) return "ginnel help " + std::string(code_name(error.code));
  const bool help = error.hint.find("help") != std::string::npos;
  if (dir.empty() || help || !error.hint.starts_with(kProgram)) return error.hint;
  std::string out;
  std::string_view rest = error.hint;  // "ginnel join …, or ginnel init …"
  for (auto at = rest.find(kProgram); at != rest.npos; at = rest.find(kProgram)) {
    out += std::string(rest.substr(0, at)) + "ginnel --dir " + dir + " ";
    rest.remove_prefix(at + kProgram.size());
  }
  return out + std::string(rest);
}

// What failed is the verb, unless the text already begins with it.
Error completed(Error error, const Parsed& parsed) {
  const std::string verb(parsed.verb->name);
  const bool named = error.text.starts_with(verb + ":") || error.text.starts_with(verb + " ") ||
                     error.text.starts_with("cannot ");
  if (!named) error.text = verb + ": " + error.text;
  if (error.hint == "ginnel help" && verb != "help") error.hint = "ginnel " + verb + " --help";
  error.hint = hint_in(parsed.arguments.dir, error);
  return error;
}

}  // namespace

int run(Context& context, const std::vector<std::string>& words) {
  const auto parsed = parse(words);
  if (!parsed) return fail(context, parsed.error(), wants_json(words));
  if (parsed->help || parsed->verb == nullptr) {
    if (parsed->verb == nullptr && !parsed->help && !words.empty())
      return fail(context, {Errc::kUsage, "no verb", "ginnel help"}, parsed->arguments.json);
    context.out << (parsed->verb == nullptr ? overview() : verb_help(*parsed->verb)) << std::flush;
    return words.empty() ? exit_code(Errc::kUsage) : 0;
  }
  const auto outcome = parsed->verb->run(context, parsed->arguments);
  if (!outcome)
    return fail(context, completed(outcome.error(), *parsed), parsed->arguments.json);
  context.out.flush();
  return *outcome;
}

}  // namespace ginnel::cli
