#include "cli/help.h"

#include <algorithm>
#include <array>

#include "runtime/config/nearest.h"

namespace ginnel::cli {
namespace {

constexpr std::size_t kColumns = 80;

// As docs/cli.md numbers them.
struct Exit {
  int code;
  std::string_view meaning;
};
constexpr std::array kExits = {
    Exit{0, "ok"},
    Exit{1, "failed"},
    Exit{2, "usage"},
    Exit{3, "daemon not running"},
    Exit{4, "permission denied"},
    Exit{5, "no such peer or key"},
    Exit{6, "unreachable or timed out"},
    Exit{7, "config invalid"},
    Exit{8, "degraded"},
    Exit{9, "no quorum or not Master"},
    Exit{130, "interrupted"},
};

std::string exits_line(const Verb& verb) {
  std::string text = "Exit:";
  for (const Exit& exit : kExits) {
    const bool always = exit.code == 0 || exit.code == 2;
    if (!always && std::ranges::find(verb.exits, exit.code) == verb.exits.end()) continue;
    text +=
        (exit.code == 0 ? " " : ", ") + std::to_string(exit.code) + " " + std::string(exit.meaning);
  }
  return wrapped(text, "") + "\n";
}

std::string flag_text(const Flag& flag) {
  std::string left = flag.letter == 0 ? "    " : "-" + std::string(1, flag.letter) + ", ";
  left += flag.name;
  if (!flag.value.empty()) left += " " + std::string(flag.value);
  std::string right(flag.about);
  if (!flag.fallback.empty()) right += " [" + std::string(flag.fallback) + "]";
  if (!flag.variable.empty()) right += " ($" + std::string(flag.variable) + ")";
  constexpr std::size_t kColumn = 29;
  left.insert(0, "  ");
  const std::string indent(kColumn, ' ');
  if (left.size() + 1 > kColumn) return left + "\n" + wrapped(right, indent) + "\n";
  left.resize(kColumn, ' ');
  return left + wrapped(right, indent).substr(kColumn) + "\n";
}

constexpr std::array kEverywhere = {
    Flag{"--dir", "DIR", "config, identity, state and socket of one node", "", "GINNEL_DIR"},
    Flag{"--json", "", "one JSON document instead of text"},
    Flag{"--help", "", "this text", "", "", false, 'h'},
};

struct Group {
  std::string_view title;
  std::vector<Verb> (*verbs)();
};
constexpr std::array kGroups = {Group{"Start", start_verbs}, Group{"Look", look_verbs},
                                Group{"Test", try_verbs}, Group{"Host", host_verbs},
                                Group{"Use", use_verbs}, Group{"Administer", admin_verbs},
                                Group{"Gossip", gossip_verbs},
                                Group{"Shared data", metadata_verbs}};

std::string noun_help(std::string_view noun) {
  std::string out;
  for (const Verb& verb : verbs()) {
    if (!verb.name.starts_with(noun) || verb.name.substr(noun.size()).substr(0, 1) != " ") continue;
    std::string line = "  ginnel " + std::string(verb.name) + " " + std::string(verb.words);
    constexpr std::size_t kColumn = 32;
    line.resize(std::max(line.size() + 2, kColumn), ' ');
    out += line + wrapped(verb.purpose, std::string(line.size(), ' ')).substr(line.size()) + "\n";
  }
  return out;
}

}  // namespace

std::string wrapped(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    const std::size_t room = kColumns - indent.size();
    std::size_t size = text.size();
    if (size > room) {
      size = text.rfind(' ', room);
      if (size == std::string_view::npos) size = std::min(text.find(' '), text.size());
    }
    out += (out.empty() ? "" : "\n") + std::string(indent) + std::string(text.substr(0, size));
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return out;
}

std::string verb_help(const Verb& verb) {
  std::string out = wrapped(std::string(verb.purpose), "") + "\n\n";
  for (const std::string_view example : verb.examples) out += "  $ " + std::string(example) + "\n";
  out += "\nUsage: ginnel " + std::string(verb.name);
  if (!verb.groups.empty()) out += " [FLAG…]";
  if (!verb.words.empty()) out += " " + std::string(verb.words);
  out += "\n";
  for (const FlagGroup& group : verb.groups) {
    out += "\n" + std::string(group.title) + ":\n";
    for (const Flag& flag : group.flags) out += flag_text(flag);
  }
  out += "\nEverywhere:\n";
  for (const Flag& flag : kEverywhere) out += flag_text(flag);
  return out + "\n" + exits_line(verb);
}

std::string overview() {
  std::string out =
      "Ginnel connects hosts and programs by Id over LANs, clouds and NATs\n\n"
      "  $ ginnel init --hub --name hub-a --public 203.0.113.9:7700\n"
      "  $ ginnel invite > token\n"
      "  $ ginnel join --token-file token --name alice && ginnel up\n"
      "\nUsage: ginnel VERB [FLAG…] [WORD…]\n";
  for (const Group& group : kGroups) {
    out += "\n" + std::string(group.title) + ":\n";
    for (const Verb& verb : group.verbs()) {
      std::string line = "  " + std::string(verb.name);
      line.resize(std::max(line.size() + 1, std::size_t{18}), ' ');
      out += line + std::string(verb.purpose) + "\n";
    }
  }
  std::string names;
  for (const std::string_view topic : topics())
    names += (names.empty() ? "" : ", ") + std::string(topic);
  return out + "\nRead on: ginnel VERB --help, ginnel help E_CODE, ginnel help TOPIC\n" +
         wrapped("Topics: " + names, "") + "\n";
}

std::optional<std::string> help_on(std::string_view topic) {
  if (const Verb* verb = find_verb(topic)) return verb_help(*verb);
  if (std::string text = topic_help(topic); !text.empty()) {
    const std::string verbs_of_noun = noun_help(topic);
    return verbs_of_noun.empty() ? text : verbs_of_noun + "\n" + text;
  }
  if (std::string text = noun_help(topic); !text.empty()) return text;
  if (std::string text = error_help(topic); !text.empty()) return text;
  if (is_future_verb(topic)) return std::string(topic) + ": this version does not have it yet\n";
  return std::nullopt;
}

std::string nearest_topic(std::string_view topic) {
  std::vector<std::string_view> known(topics().begin(), topics().end());
  for (const Verb& verb : verbs()) known.push_back(verb.name);
  for (int i = 0; i <= static_cast<int>(Errc::kInternal); ++i)
    known.push_back(code_name(static_cast<Errc>(i)));
  for (const std::string_view code : check_codes()) known.push_back(code);
  return std::string(config::nearest(topic, known));
}

}  // namespace ginnel::cli
