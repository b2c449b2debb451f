// bugreport: the answers of the verbs that look, in one archive that stays on this machine.
#include "cli/bugreport.h"

#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <sstream>

#include "base/bytes.h"
#include "cli/document.h"
#include "cli/run.h"
#include "cli/tar.h"
#include "io/file.h"

namespace ginnel::cli {
namespace {

constexpr std::string_view kTokenBegin = "ginnel1-";
constexpr std::string_view kHiddenText = "(hidden)";
// 32 bytes in base64: 43 digits and the padding.
constexpr std::size_t kKeyDigits = 43;

bool is_base64(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}
bool is_token_letter(char c) { return is_base64(c) || c == '-' || c == '_' || c == '='; }

// The verbs that look: none changes anything, and each says so itself where no daemon answers.
struct Part {
  std::string_view file;
  std::vector<std::string> words;
};
const std::vector<Part>& parts() {
  static const std::vector<Part> kParts = {
      {"version.json", {"version", "--json"}}, {"doctor.txt", {"doctor"}},
      {"doctor.json", {"doctor", "--json"}},   {"netcheck.json", {"netcheck", "--json"}},
      {"status.json", {"status", "--json"}},   {"status.txt", {"status"}},
      {"events.txt", {"events"}},              {"log.txt", {"log"}},
      {"config.toml", {"config", "show", "--origin"}},
  };
  return kParts;
}

// What the verb prints, standard error behind it.
std::string answer_of(const Context& context, const Arguments& arguments, const Part& part) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Context quiet{in, out, err};
  quiet.root = context.root;
  quiet.get_environment = context.get_environment;
  quiet.interrupt_fd = context.interrupt_fd;
  std::vector<std::string> words = part.words;
  if (!arguments.dir.empty()) words.insert(words.begin(), {"--dir", arguments.dir});
  run(quiet, words);
  return out.str() + err.str();
}

std::string system_text() {
  utsname name{};
  ::uname(&name);
  return std::string(name.sysname) + " " + name.release + " " + name.machine + "\n" + name.version +
         "\n";
}

std::string default_name(std::int64_t now) {
  const std::time_t seconds = now;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::strftime(text, sizeof text, "ginnel-bugreport-%Y%m%d-%H%M%S.tar", &parts);
  return text;
}

Outcome run_bugreport(Context& context, const Arguments& arguments) {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  const std::string path =
      arguments.has("--output") ? arguments.get("--output") : default_name(now);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored))
    return Fail(Error{Errc::kExists, "bugreport: " + path + " is there already",
                      "name another file with -o"});
  std::vector<TarMember> members = {{"system.txt", system_text()}};
  for (const Part& part : parts())
    members.push_back({std::string(part.file), redacted(answer_of(context, arguments, part))});
  const std::string archive = tar_of(members, now);
  if (auto written = io::write_file(path, bytes_of(archive), {.mode = 0600}); !written)
    return Fail(written.error());
  context.err << "Keys and tokens are left out; names and addresses are in it. Nothing was sent: "
                 "look at it, then attach it.\n";
  context.out << (arguments.json ? dump({{"v", 1}, {"path", path}}) : path) << "\n";
  return 0;
}

}  // namespace

std::string redacted(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    if (text.substr(at).starts_with(kTokenBegin)) {
      while (end < text.size() && is_token_letter(text[end])) ++end;
      out += kHiddenText;
      at = end;
      continue;
    }
    while (end < text.size() && is_base64(text[end])) ++end;
    const bool is_key = end - at == kKeyDigits && end < text.size() && text[end] == '=';
    if (is_key) {
      out += kHiddenText;
      at = end + 1;
    } else {
      end = std::max(end, at + 1);
      out += text.substr(at, end - at);
      at = end;
    }
  }
  return out;
}

std::vector<Verb> bugreport_verbs() {
  return {{"bugreport",
           "",
           "Collect what a bug report needs in one file on this machine",
           {"ginnel bugreport", "sudo ginnel bugreport -o report.tar"},
           {{"Report",
             {{"--output", "F", "the archive to write", "ginnel-bugreport-TIME.tar", "", false,
               'o'}}}},
           {1, 4},
           0,
           0,
           run_bugreport}};
}

}  // namespace ginnel::cli
