// gossip, and the verbs that talk to a gossip member: members, events, tags, event, query, key.
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "base/base64.h"
#include "cli/daemon.h"
#include "cli/table.h"
#include "cli/verbs_key.h"
#include "proto/swim/limits.h"
#include "runtime/config/load.h"
#include "runtime/control/error_document.h"
#include "runtime/gossip/documents.h"
#include "runtime/gossip/member.h"

namespace ginnel::cli {
namespace {

constexpr std::size_t kWordsMax = 256;
constexpr std::size_t kKeyFileMax = 4096;

// ---- gossip ----

Result<Endpoint, Error> endpoint_of(const std::string& text, std::string_view flag) {
  const auto [host, port] = gossip::split_address(text, swim::kDefaultPort);
  const auto address = Address::parse(host);
  if (address) return Endpoint{*address, port};
  return Fail(usage("gossip", std::string(flag) + " " + text + ": must be ADDR or ADDR:PORT"));
}

Result<swim::serf::Tags, Error> tags_of(std::span<const std::string> words, std::string_view verb) {
  swim::serf::Tags out;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail(usage(verb, "\"" + word + "\": a tag is KEY=VALUE"));
    }
    out.insert_or_assign(word.substr(0, equals), word.substr(equals + 1));
  }
  return out;
}

std::vector<std::string> joins_of(const Arguments& arguments) {
  std::vector<std::string> out;
  for (const std::string& list : arguments.all("--join")) {
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t end = std::min(list.find(',', at), list.size());
      if (end > at) out.push_back(list.substr(at, end - at));
      at = end + 1;
    }
  }
  return out;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

// What a member says of itself.
Result<void, Error> read_own_words(const Arguments& arguments, gossip::Options& options) {
  options.name = arguments.has("--name") ? arguments.get("--name") : host_name();
  if (options.name.empty() || options.name.size() > swim::kNameBytesMax) {
    return Fail(usage("gossip", "--name must be 1 to 256 bytes"));
  }
  options.label = arguments.get("--label");
  if (options.label.size() > swim::kLabelBytesMax) {
    return Fail(usage("gossip", "--label is at most 255 bytes"));
  }
  if (arguments.has("--tag") && arguments.has("--meta")) {
    return Fail(usage("gossip", "--tag and --meta exclude each other"));
  }
  const std::vector<std::string> words = arguments.all("--tag");
  auto tags = tags_of(words, "gossip");
  if (!tags) return Fail(tags.error());
  options.tags = *std::move(tags);
  if (arguments.has("--meta")) options.meta = arguments.get("--meta");
  const std::size_t size =
      options.meta ? options.meta->size() : swim::serf::encode_tags(options.tags).size();
  const bool shared = arguments.get("--app") == "ginnel" && !options.meta;  // the rest are rows
  if (size <= swim::kMetaBytesMax || shared) return {};
  return Fail(usage("gossip", std::string(options.meta ? "--meta" : "the tags take") + " " +
                                  std::to_string(size) + " bytes; the most is 512"));
}

Result<void, Error> read_choices(const Arguments& arguments, gossip::Options& options) {
  const std::string preset = arguments.has("--preset") ? arguments.get("--preset") : "lan";
  if (preset == "wan")
    options.preset = gossip::Preset::kWan;
  else if (preset == "local")
    options.preset = gossip::Preset::kLocal;
  else if (preset != "lan") {
    return Fail(usage("gossip", "--preset " + preset + ": must be lan, wan or local"));
  }
  const std::string app = arguments.has("--app") ? arguments.get("--app") : "auto";
  if (app == "serf")
    options.app = swim::App::kSerf;
  else if (app == "none")
    options.app = swim::App::kNone;
  else if (app == "ginnel")
    options.app = swim::App::kGinnel;
  else if (app != "auto") {
    return Fail(usage("gossip", "--app " + app + ": must be auto, serf, none or ginnel"));
  }
  return {};
}

Result<void, Error> read_addresses(const Arguments& arguments, gossip::Options& options) {
  const auto bind =
      endpoint_of(arguments.has("--bind") ? arguments.get("--bind") : "0.0.0.0", "--bind");
  if (!bind) return Fail(bind.error());
  options.bind = *bind;
  const std::string carrier = arguments.has("--transport") ? arguments.get("--transport") : "udp";
  if (carrier != "udp" && carrier != "tcp") {
    return Fail(usage("gossip", "--transport " + carrier + ": must be udp or tcp"));
  }
  options.carrier = carrier == "tcp" ? gossip::Carrier::kTcp : gossip::Carrier::kUdp;
  if (arguments.has("--advertise")) {
    const auto advertise = endpoint_of(arguments.get("--advertise"), "--advertise");
    if (!advertise) return Fail(advertise.error());
    options.advertise = *advertise;
  }
  if (arguments.has("--http")) {
    const auto http = Endpoint::parse(arguments.get("--http"));
    if (!http) return Fail(usage("gossip", "--http must be ADDR:PORT"));
    options.http = *http;
  }
  options.join = joins_of(arguments);
  options.join_once = arguments.has("--join-once");
  return {};
}

Outcome run_gossip(Context& context, const Arguments& arguments) {
  gossip::Options options;
  options.socket = places_of(context, arguments).socket;
  options.key_file = arguments.get("--key-file");
  options.json = arguments.json;
  options.compress = !arguments.has("--no-compression");
  config::Loaded built_in;
  if (const auto wrong = config::apply_environment(built_in, context.get_environment)) {
    return Fail(Error{Errc::kConfigValue, *wrong, "unset GINNEL_LOG"});
  }
  options.log = built_in.config.log;
  for (const auto read : {read_addresses, read_own_words, read_choices}) {
    if (auto done = read(arguments, options); !done) return Fail(done.error());
  }
  return gossip::run_gossip(std::move(options));
}

// ---- looking ----

std::string joined_texts(const Json& list, std::string_view between) {
  std::string out;
  for (const Json& entry : list) {
    if (entry.is_string())
      out += (out.empty() ? "" : std::string(between)) + entry.get<std::string>();
  }
  return out;
}

std::string render_members(const Json& document) {
  Table table({"NAME", "ADDRESS", "STATE", "INC", "TAGS", "SUSPECTED BY"});
  for (const Json& row : child(document, "members")) {
    std::string tags;
    for (const auto& [key, value] : child(row, "tags").items()) {
      tags += (tags.empty() ? "" : ",") + key + "=" +
              (value.is_string() ? value.get<std::string>() : "");
    }
    const std::string accusers = joined_texts(child(row, "suspected_by"), ",");
    table.add({text_at(row, "name"), text_at(row, "address"), text_at(row, "state"),
               std::to_string(static_cast<std::int64_t>(number_at(row, "incarnation").value_or(0))),
               tags.empty() ? "-" : tags, accusers.empty() ? "-" : accusers});
  }
  return table.text();
}

Outcome run_members(Context& context, const Arguments& arguments) {
  return show(context, arguments, {"GET", "/v1/members"}, render_members);
}

// ---- changing ----

Outcome call_quietly(Context& context, const Arguments& arguments,
                     const control_api::Query& query) {
  return show(context, arguments, query, [](const Json&) { return std::string(); });
}

Outcome run_tags_set(Context& context, const Arguments& arguments) {
  const auto tags = tags_of(arguments.words, "tags set");
  if (!tags) return Fail(tags.error());
  return call_quietly(context, arguments, {"POST", "/v1/tags", dump({{"set", *tags}})});
}

Outcome run_tags_del(Context& context, const Arguments& arguments) {
  return call_quietly(context, arguments, {"POST", "/v1/tags", dump({{"del", arguments.words}})});
}

// NAME [DATA|-] as a request's body.
Json named_data(Context& context, const Arguments& arguments) {
  std::string data = arguments.words.size() > 1 ? arguments.words[1] : "";
  if (data == "-") data.assign(std::istreambuf_iterator(context.in), {});
  Json body = {{"name", arguments.words[0]}};
  set_data(body, data);
  return body;
}

Outcome run_event(Context& context, const Arguments& arguments) {
  Json body = named_data(context, arguments);
  body["coalesce"] = !arguments.has("--no-coalesce");
  return call_quietly(context, arguments, {"POST", "/v1/event", dump(body)});
}

std::string query_text(const Json& line) {
  const std::string kind = text_at(line, "event");
  const auto count = [&](const char* key) {
    return std::to_string(static_cast<std::int64_t>(number_at(line, key).value_or(0)));
  };
  if (kind == "ack") return "ack from " + text_at(line, "from");
  if (kind == "done") return count("acks") + " acks, " + count("responses") + " responses";
  const auto bytes = from_base64(text_at(line, "data"));
  return "response from " + text_at(line, "from") + ": " +
         (bytes ? std::string(text_of(*bytes)) : "");
}

Outcome run_query(Context& context, const Arguments& arguments) {
  const auto timeout = seconds_of(arguments, "--timeout", "query");
  if (!timeout) return Fail(timeout.error());
  const std::vector<std::string> words = arguments.all("--tag");
  const auto tags = tags_of(words, "query");
  if (!tags) return Fail(tags.error());
  Json body = named_data(context, arguments);
  body["ack"] = !arguments.has("--no-ack");
  body["nodes"] = arguments.all("--node");
  body["tags"] = *tags;
  if (*timeout) body["timeout"] = **timeout;
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const auto done = client->stream({"POST", "/v1/query", dump(body)}, [&](std::string_view text) {
    context.out << (arguments.json ? std::string(text) : query_text(parse_document(text))) << "\n"
                << std::flush;
    return static_cast<bool>(context.out);
  });
  if (!done) return Fail(done.error());
  return 0;
}

// ---- keys ----

std::string render_keys(const Json& document) {
  Table table({"FINGERPRINT", "MEMBERS", "PRIMARY"});
  for (const Json& key : child(document, "keys")) {
    table.add({text_at(key, "fingerprint"),
               std::to_string(static_cast<std::int64_t>(number_at(key, "members").value_or(0))),
               flag_at(key, "primary") ? "yes" : "-"});
  }
  return table.text();
}

// Whether each member has done it: those that failed are the output, as with `msg`.
Outcome key_outcome(Context& context, const Arguments& arguments, const std::string& verb,
                    const std::string& answer) {
  const Json document = parse_document(answer);
  if (arguments.json) context.out << answer << "\n";
  const Json& failed = child(document, "failed");
  for (const Json& row : failed) {
    if (arguments.json) break;
    context.out << text_at(row, "peer") << " " << text_at(row, "code") << " "
                << text_at(row, "text") << "\n";
  }
  if (text_at(document, "scope") == "member") {
    context.err
        << "ginnel: this member only: plain memberlist has no messages about keys, so run it "
           "at each member\n";
  }
  const double silent =
      number_at(document, "members").value_or(0) - number_at(document, "answered").value_or(0);
  if (!failed.empty()) return 1;
  if (silent <= 0) return 0;
  return Fail(Error{Errc::kTimeout,
                    verb + ": " + std::to_string(static_cast<std::int64_t>(silent)) +
                        " of the members did not answer",
                    "ginnel key ls shows who holds which key; run it again"});
}

Result<std::string, Error> key_text(const Context& context, const Arguments& arguments,
                                    const std::string& verb) {
  const std::string file = arguments.get("--token-file");
  std::string text;
  if (file.empty())
    return Fail(usage(verb, "no key: give --token-file F, or - for standard input"));
  if (file == "-") {
    text.assign(std::istreambuf_iterator(context.in), {});
  } else {
    std::ifstream in(file);
    if (!in) {
      return Fail(Error{Errc::kFile, verb + ": the file " + file + " cannot be read",
                        "it holds one key in base64"});
    }
    text.assign(std::istreambuf_iterator(in), {});
  }
  text.resize(std::min(text.size(), kKeyFileMax));
  return text;
}

Outcome change_key(Context& context, const Arguments& arguments, const std::string& op) {
  const std::string verb = "key " + op;
  const auto key = key_text(context, arguments, verb);
  if (!key) return Fail(key.error());
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const auto answer = client->call({"POST", "/v1/key/" + op, dump({{"key", *key}})});
  if (!answer) return Fail(answer.error());
  return key_outcome(context, arguments, verb, *answer);
}

Outcome run_key_install(Context& c, const Arguments& a) { return change_key(c, a, "install"); }
Outcome run_key_use(Context& c, const Arguments& a) { return change_key(c, a, "use"); }
Outcome run_key_rm(Context& c, const Arguments& a) { return change_key(c, a, "rm"); }

Outcome run_key_ls(Context& context, const Arguments& arguments) {
  if (auto own = show_own_keys(context, arguments)) return *std::move(own);
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const auto answer = client->call({"GET", "/v1/key"});
  if (!answer) return Fail(answer.error());
  if (!arguments.json) context.out << render_keys(parse_document(*answer));
  return key_outcome(context, arguments, "key ls", *answer);
}

const FlagGroup kKeyGroup = {
    "Key", {{"--token-file", "F", "the file with the key in base64; -: standard input"}}};

Verb key_verb(std::string_view name, std::string_view purpose, std::string_view example,
              Outcome (*run)(Context&, const Arguments&)) {
  return {name, "", purpose, {example}, {kKeyGroup}, {1, 3, 4, 6, 130}, 0, 0, run};
}

Verb gossip_verb() {
  return {"gossip",
          "",
          "Run a stand-alone member of a memberlist or serf cluster",
          {"ginnel gossip --bind 10.0.0.5 --join 10.0.0.2",
           "ginnel gossip --bind 127.0.0.1:7947 --dir m2 --name m2 --tag role=web",
           "ginnel gossip --bind 10.0.0.5 --join seed --key-file keys --json"},
          {{"Addresses",
            {{"--bind", "ADDR[:PORT]", "listen here, UDP and TCP", "0.0.0.0:7946"},
             {"--transport", "T", "udp, or tcp: TCP alone, at every member", "udp"},
             {"--advertise", "ADDR[:PORT]", "where others reach us", "as --bind"},
             {"--join", "ADDR,…", "members to join, until one answers", "", "", true},
             {"--join-once", "", "end with 6 when none answers"},
             {"--http", "ADDR:PORT", "serve /members, /meta, /metrics, /events"}}},
           {"Member",
            {{"--name", "N", "unique in the cluster", "host name"},
             {"--tag", "K=V", "a tag, as serf has them", "", "", true},
             {"--meta", "TEXT", "raw metadata instead of tags"},
             {"--app", "WHAT", "auto, serf, none or ginnel", "auto"},
             {"--preset", "P", "timing: lan, wan or local", "lan"}}},
           {"Packets",
            {{"--key-file", "F", "keys in base64; the first one encrypts"},
             {"--label", "L", "only members with this label hear us"},
             {"--no-compression", "", "send uncompressed"}}}},
          {1, 4, 6, 130},
          0,
          0,
          run_gossip};
}

}  // namespace

std::vector<Verb> gossip_verbs() {
  return {
      gossip_verb(),
      {"members",
       "",
       "The members as gossip sees them",
       {"ginnel members", "ginnel members --json | jq .members[].state"},
       {},
       {1, 3, 4, 130},
       0,
       0,
       run_members},
      {"tags set",
       "K=V…",
       "Set tags of this member",
       {"ginnel tags set role=web zone=b"},
       {},
       {1, 3, 4, 130},
       1,
       kWordsMax,
       run_tags_set},
      {"tags del",
       "K…",
       "Take tags off this member",
       {"ginnel tags del zone"},
       {},
       {1, 3, 4, 130},
       1,
       kWordsMax,
       run_tags_del},
      {"event",
       "NAME [DATA|-]",
       "Tell all members of a serf cluster something",
       {"ginnel event deploy v1.2", "ginnel event deploy --no-coalesce"},
       {{"Event", {{"--no-coalesce", "", "each one counts, not only the last of its name"}}}},
       {1, 3, 4, 130},
       1,
       2,
       run_event},
      {"query",
       "NAME [DATA|-]",
       "Ask all members of a serf cluster",
       {"ginnel query uptime", "ginnel query load --node web-1 --timeout 5"},
       {{"Query",
         {{"--timeout", "S", "collect answers for S seconds", "as serf"},
          {"--no-ack", "", "ask for no acknowledgements"},
          {"--node", "NAME", "only this member", "", "", true},
          {"--tag", "K=PATTERN", "only members whose tag fits", "", "", true}}}},
       {1, 3, 4, 130},
       1,
       2,
       run_query},
      {"key ls",
       "",
       "The keys of this node, or of an encrypted gossip cluster",
       {"ginnel key ls", "ginnel key ls --json"},
       {},
       {1, 3, 4, 6, 130},
       0,
       0,
       run_key_ls},
      key_verb("key install", "Give a key to every member, beside the old ones",
               "ginnel key install --token-file new.key", run_key_install),
      key_verb("key use", "Encrypt with this key from now on, at every member",
               "ginnel key use --token-file new.key", run_key_use),
      key_verb("key rm", "Take a key from every member", "ginnel key rm --token-file old.key",
               run_key_rm),
  };
}

}  // namespace ginnel::cli
