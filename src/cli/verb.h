// What a verb is: one row that parsing, help, "did you mean" and dispatch all read.
#pragma once
#include <ginnel/error.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "runtime/identity_store/places.h"

namespace ginnel::cli {

struct Flag {
  std::string_view name;      // "--listen"
  std::string_view value;     // "ADDR:PORT"; empty: a switch
  std::string_view about;     // one line
  std::string_view fallback;  // shown as the default; empty: none
  std::string_view variable;  // the environment variable that gives it too
  bool repeats = false;
  char letter = 0;  // "-c"; 0: none
};

struct FlagGroup {
  std::string_view title;
  std::vector<Flag> flags;
};

// The words of a command line that has passed parse().
class Arguments {
 public:
  std::map<std::string, std::vector<std::string>, std::less<>> flags;  // by name, "--listen"
  std::vector<std::string> words;                                      // positional, in order
  std::string verb;  // "config check"
  std::string dir;
  bool json = false;

  bool has(std::string_view flag) const { return flags.find(flag) != flags.end(); }
  // The last one given; empty: none.
  std::string get(std::string_view flag) const;
  std::vector<std::string> all(std::string_view flag) const;
};

// What a verb returns: the exit code, or the error that run() prints.
using Outcome = Result<int, Error>;

struct Verb {
  std::string_view name;     // "config set": two words where there is a noun
  std::string_view words;    // "PEER… DATA"
  std::string_view purpose;  // one line, a sentence without a full stop
  std::vector<std::string_view> examples;
  std::vector<FlagGroup> groups;
  std::vector<int> exits;  // besides 0 and 2
  std::size_t words_min = 0;
  std::size_t words_max = 0;
  Outcome (*run)(Context&, const Arguments&) = nullptr;
  std::string_view one_less_with = {};  // a flag that stands for the first word
};

std::span<const Verb> verbs();
const Verb* find_verb(std::string_view name);

// E_USAGE of a verb; the next step is its help.
Error usage(std::string_view verb, std::string text);

// A verb that docs/cli.md promises and this version does not have yet.
bool is_future_verb(std::string_view name);

identity::Places places_of(const Context& context, const Arguments& arguments);

// One per group of verbs (docs/cli.md, "Verbs").
std::vector<Verb> start_verbs();
std::vector<Verb> look_verbs();
std::vector<Verb> try_verbs();
std::vector<Verb> host_verbs();
std::vector<Verb> use_verbs();
std::vector<Verb> request_verbs();
std::vector<Verb> admin_verbs();
std::vector<Verb> gossip_verbs();
std::vector<Verb> metadata_verbs();

}  // namespace ginnel::cli
