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
  if (!outcome) return fail(context, outcome.error(), parsed->arguments.json);
  context.out.flush();
  return *outcome;
}

}  // namespace ginnel::cli
