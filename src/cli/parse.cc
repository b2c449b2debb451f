// 1. The verb is the first word that is neither an option nor the value of --dir; for a noun such
// as
//    "config" the next one joins it.
// 2. All other words go to a CLI11 parser made from the verb's row.
#include "cli/parse.h"

#include <algorithm>
#include <CLI/CLI.hpp>

#include "runtime/config/nearest.h"

namespace ginnel::cli {
namespace {

Error usage_error(std::string text, std::string hint) {
  return {Errc::kUsage, std::move(text), std::move(hint)};
}

bool is_noun(std::string_view word) {
  return std::ranges::any_of(verbs(), [&](const Verb& verb) {
    return verb.name.size() > word.size() && verb.name.starts_with(word) &&
           verb.name[word.size()] == ' ';
  });
}

// The place of the next word that is no option, from `at` on; size(): none.
std::size_t next_word(const std::vector<std::string>& words, std::size_t at) {
  while (at < words.size() && words[at].starts_with('-') && words[at].size() > 1) {
    if (words[at] == "--") return words.size();
    at += words[at] == "--dir" ? 2 : 1;
  }
  return std::min(at, words.size());
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const std::string_view close = config::nearest(word, known);
  return close.empty() ? "" : ", did you mean \"" + std::string(close) + "\"?";
}

Error unknown_verb(const std::string& name) {
  if (is_future_verb(name)) {
    return usage_error(name + ": this version does not have this verb yet", "ginnel help");
  }
  std::vector<std::string_view> known;
  for (const Verb& verb : verbs()) known.push_back(verb.name);
  if (const auto space = name.find(' '); space != std::string::npos) {
    std::string_view noun = std::string_view(name).substr(0, space);
    return usage_error(name + ": unknown verb" + did_you_mean(name, known),
                 "ginnel help " + std::string(noun));
  }
  return usage_error(name + ": unknown verb" + did_you_mean(name, known), "ginnel help");
}

struct Found {
  const Verb* verb = nullptr;
  std::vector<std::string> rest;  // the words without the verb
};

Result<Found, Error> find_in(const std::vector<std::string>& words) {
  Found out{nullptr, words};
  const std::size_t first = next_word(words, 0);
  if (first == words.size()) return out;
  std::string name = words[first];
  std::size_t second = words.size();
  if (is_noun(name)) {
    second = next_word(words, first + 1);
    if (second == words.size()) {
      const bool help = std::ranges::any_of(
          words, [](const std::string& w) { return w == "-h" || w == "--help"; });
      if (help) return Found{find_verb("help"), {name}};
      return Fail(usage_error(name + ": which one?", "ginnel help " + name));
    }
    name += " " + words[second];
  }
  out.verb = find_verb(name);
  if (out.verb == nullptr) return Fail(unknown_verb(name));
  if (second < words.size()) out.rest.erase(out.rest.begin() + static_cast<std::ptrdiff_t>(second));
  out.rest.erase(out.rest.begin() + static_cast<std::ptrdiff_t>(first));
  return out;
}

struct Slot {
  const Flag* flag;
  CLI::Option* option;
  std::vector<std::string> values{};
};

std::string option_names(const Flag& flag) {
  return (flag.letter == 0 ? "" : "-" + std::string(1, flag.letter) + ",") + std::string(flag.name);
}

Error unknown_flag(const Verb& verb, const std::string& word) {
  std::vector<std::string_view> known = {"--dir", "--json", "--help"};
  for (const FlagGroup& group : verb.groups) {
    for (const Flag& flag : group.flags) known.push_back(flag.name);
  }
  const std::string_view name = std::string_view(word).substr(0, word.find('='));
  return usage_error(
      std::string(verb.name) + ": unknown flag " + std::string(name) + did_you_mean(name, known),
      "ginnel " + std::string(verb.name) + " --help");
}

class VerbParser {
 public:
  explicit VerbParser(const Verb& verb) : verb_(verb) {
    app_.allow_extras();
    app_.set_help_flag();
    app_.add_flag("-h,--help", help_);
    app_.add_flag("--json", json_);
    app_.add_option("--dir", dir_);
    std::size_t count = 0;
    for (const FlagGroup& group : verb.groups) count += group.flags.size();
    slots_.reserve(count);  // CLI11 keeps references into it
    for (const FlagGroup& group : verb.groups) {
      for (const Flag& flag : group.flags) add(flag);
    }
  }

  Result<Parsed, Error> run(std::vector<std::string> words) {
    std::vector<std::string> tail = split_at_dashes(words);
    std::ranges::reverse(words);  // CLI11 takes them last first
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& error) {
      return Fail(usage_error(std::string(verb_.name) + ": " + one_line(error.what()), hint()));
    }
    return collect(std::move(tail));
  }

 private:
  void add(const Flag& flag) {
    Slot& slot = slots_.emplace_back(Slot{&flag, nullptr});
    if (flag.value.empty()) {
      slot.option = app_.add_flag(option_names(flag));
      return;
    }
    slot.option = app_.add_option(option_names(flag), slot.values);
    slot.option->expected(1)->allow_extra_args(false);
    slot.option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  // Behind "--" nothing is an option, whatever it begins with.
  static std::vector<std::string> split_at_dashes(std::vector<std::string>& words) {
    const auto dashes = std::ranges::find(words, "--");
    if (dashes == words.end()) return {};
    std::vector<std::string> tail(dashes + 1, words.end());
    words.erase(dashes, words.end());
    return tail;
  }

  Result<Parsed, Error> collect(std::vector<std::string> tail) {
    Parsed out{&verb_, help_, {}};
    out.arguments.verb = verb_.name;
    out.arguments.dir = dir_;
    out.arguments.json = json_;
    for (const std::string& word : app_.remaining()) {
      if (word.starts_with('-') && word.size() > 1) return Fail(unknown_flag(verb_, word));
      out.arguments.words.push_back(word);
    }
    std::ranges::move(tail, std::back_inserter(out.arguments.words));
    for (const Slot& slot : slots_) {
      if (slot.option->count() == 0) continue;
      if (slot.values.size() > 1 && !slot.flag->repeats) {
        return Fail(usage_error(std::string(verb_.name) + ": " + std::string(slot.flag->name) +
                              " is given more than once",
                          hint()));
      }
      out.arguments.flags[std::string(slot.flag->name)] = slot.values;
    }
    if (!help_) {
      if (auto counted = check_count(out.arguments); !counted) return Fail(counted.error());
    }
    return out;
  }

  Result<void, Error> check_count(const Arguments& arguments) const {
    const std::string takes = verb_.words.empty() ? "no words" : std::string(verb_.words);
    const bool one_less = !verb_.one_less_with.empty() && arguments.has(verb_.one_less_with);
    if (arguments.words.size() + (one_less ? 1 : 0) < verb_.words_min)
      return Fail(usage_error(std::string(verb_.name) + ": too few words: it takes " + takes, hint()));
    if (arguments.words.size() > verb_.words_max) {
      return Fail(usage_error(std::string(verb_.name) + ": \"" + arguments.words[verb_.words_max] +
                            "\" is one word too many: it takes " + takes,
                        hint()));
    }
    return {};
  }

  std::string hint() const { return "ginnel " + std::string(verb_.name) + " --help"; }

  static std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    return text;
  }

  const Verb& verb_;
  CLI::App app_;
  bool help_ = false;
  bool json_ = false;
  std::string dir_;
  std::vector<Slot> slots_;
};

}  // namespace

Result<Parsed, Error> parse(const std::vector<std::string>& words) {
  auto found = find_in(words);
  if (!found) return Fail(found.error());
  if (found->verb != nullptr) return VerbParser(*found->verb).run(std::move(found->rest));
  Parsed out;
  for (const std::string& word : words) {
    if (word == "-h" || word == "--help") {
      out.help = true;
    } else if (word == "--dir" && &word == &words.back()) {
      return Fail(usage_error("--dir needs a folder", "ginnel help folders"));
    } else if (word == "--version") {
      out.verb = find_verb("version");
    } else if (word == "--json") {
      out.arguments.json = true;
    } else if (word.starts_with("-") && word != "--dir" && !word.starts_with("--dir=")) {
      return Fail(usage_error("unknown flag " + word, "ginnel help"));
    }
  }
  return out;
}

bool wants_json(const std::vector<std::string>& words) {
  const auto end = std::ranges::find(words, "--");
  return std::find(words.begin(), end, "--json") != end;
}

}  // namespace ginnel::cli
