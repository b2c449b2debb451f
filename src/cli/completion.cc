#include "cli/completion.h"

#include <map>
#include <set>
#include <vector>

#include "cli/verb.h"

namespace ginnel::cli {
namespace {

// A word to choose and what it is.
struct Choice {
  std::string word;
  std::string about;
};

// What may follow: "" -> the first words, "config" -> its second words, "ping" -> its flags.
using Choices = std::map<std::string, std::vector<Choice>>;

constexpr std::string_view kNounAbout = "several verbs";

void add_flags(const Verb& verb, std::vector<Choice>& out) {
  for (const FlagGroup& group : verb.groups) {
    for (const Flag& flag : group.flags)
      out.push_back({std::string(flag.name), std::string(flag.about)});
  }
  out.push_back({"--dir", "folder of the node"});
  out.push_back({"--json", "one JSON document instead of text"});
  out.push_back({"--help", "explain it"});
}

Choices all_choices() {
  Choices out;
  std::set<std::string> nouns;
  for (const Verb& verb : verbs()) {
    const std::string name(verb.name);
    const std::size_t space = name.find(' ');
    if (space == std::string::npos) {
      out[""].push_back({name, std::string(verb.purpose)});
    } else {
      const std::string noun = name.substr(0, space);
      if (nouns.insert(noun).second) out[""].push_back({noun, std::string(kNounAbout)});
      out[noun].push_back({name.substr(space + 1), std::string(verb.purpose)});
    }
    add_flags(verb, out[name]);
  }
  return out;
}

// Flags whose value is a word of its own: what follows them is no verb.
std::set<std::string> flags_with_value() {
  std::set<std::string> out = {"--dir"};
  for (const Verb& verb : verbs()) {
    for (const FlagGroup& group : verb.groups) {
      for (const Flag& flag : group.flags) {
        if (flag.value.empty()) continue;
        out.insert(std::string(flag.name));
        if (flag.letter != 0) out.insert("-" + std::string(1, flag.letter));
      }
    }
  }
  return out;
}

std::string joined(const std::set<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : std::string(between)) + word;
  return out;
}

// For single quotes of a shell.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string is_noun_test(const Choices& choices) {
  std::set<std::string> nouns;
  for (const Choice& first : choices.at("")) {
    if (first.about == kNounAbout) nouns.insert(first.word);
  }
  return joined(nouns, "|");
}

// The loop that finds the verb among the words before the cursor; both shells take it.
std::string verb_finder(const Choices& choices, std::string_view words, std::string_view cursor,
                        std::string_view first) {
  const std::string at = "${" + std::string(words) + "[i]}";
  return "  local verb='' i\n  for ((i = " + std::string(first) + "; i < " + std::string(cursor) +
         "; i++)); do\n    case \"" + at + "\" in\n      " + joined(flags_with_value(), "|") +
         ") ((i++)) ;;\n      -*) ;;\n      *)\n        verb=\"${verb:+$verb }" + at +
         "\"\n        case \"$verb\" in " + is_noun_test(choices) +
         ") ;; *) break ;; esac ;;\n    esac\n  done\n";
}

std::string bash_script() {
  const Choices choices = all_choices();
  std::string out =
      "# bash completion for ginnel: source <(ginnel completion bash)\n"
      "_ginnel() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" words=''\n" +
      verb_finder(choices, "COMP_WORDS", "COMP_CWORD", "1") + "  case \"$verb\" in\n";
  for (const auto& [verb, follow] : choices) {
    out += "    " + shell_quoted(verb) + ") words='";
    for (const Choice& choice : follow) out += choice.word + " ";
    out.back() = '\'';
    out += " ;;\n";
  }
  return out +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -o default -F _ginnel ginnel\n";
}

std::string zsh_script() {
  const Choices choices = all_choices();
  std::string out =
      "#compdef ginnel\n"
      "# zsh completion for ginnel: source <(ginnel completion zsh)\n"
      "_ginnel() {\n"
      "  local -a choices\n" +
      verb_finder(choices, "words", "CURRENT", "2") + "  case \"$verb\" in\n";
  for (const auto& [verb, follow] : choices) {
    out += "    " + shell_quoted(verb) + ")\n      choices=(\n";
    for (const Choice& choice : follow) {
      out += "        " + shell_quoted(choice.word + ":" + choice.about) + "\n";
    }
    out += "      ) ;;\n";
  }
  return out +
         "  esac\n"
         "  _describe ginnel choices || _files\n"
         "}\n"
         "compdef _ginnel ginnel\n";
}

std::string fish_flag(const std::string& condition, const Flag& flag) {
  std::string out = "complete -c ginnel -n " + shell_quoted(condition) + " -l " +
                    std::string(flag.name.substr(2));
  if (flag.letter != 0) out += " -s " + std::string(1, flag.letter);
  if (!flag.value.empty()) out += " -r";
  return out + " -d " + shell_quoted(flag.about) + "\n";
}

std::string fish_script() {
  std::string out =
      "# fish completion for ginnel: ginnel completion fish | source\n"
      "complete -c ginnel -n __fish_use_subcommand -f\n"
      "complete -c ginnel -l dir -r -d 'folder of the node'\n"
      "complete -c ginnel -l json -d 'one JSON document instead of text'\n"
      "complete -c ginnel -l help -s h -d 'explain it'\n";
  const Choices choices = all_choices();
  for (const Choice& first : choices.at("")) {
    out += "complete -c ginnel -n __fish_use_subcommand -f -a " + first.word + " -d " +
           shell_quoted(first.about) + "\n";
  }
  for (const Verb& verb : verbs()) {
    const std::string name(verb.name);
    const std::size_t space = name.find(' ');
    std::string condition = "__fish_seen_subcommand_from " + name.substr(0, space);
    if (space != std::string::npos) {
      const std::string second = name.substr(space + 1);
      out += "complete -c ginnel -n " + shell_quoted(condition) + " -f -a " + second + " -d " +
             shell_quoted(verb.purpose) + "\n";
      condition += "; and __fish_seen_subcommand_from " + second;
    }
    for (const FlagGroup& group : verb.groups) {
      for (const Flag& flag : group.flags) out += fish_flag(condition, flag);
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  return std::nullopt;
}

}  // namespace ginnel::cli
