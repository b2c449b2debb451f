// kv and meta: data that all members of a cluster share.
#include <iterator>

#include "cli/daemon.h"
#include "cli/table.h"

namespace ginnel::cli {
namespace {

// What is written, as a body: DATA, or standard input for "-".
void take_data(Context& context, const std::string& word, Json& body) {
  std::string data = word;
  if (word == "-") data.assign(std::istreambuf_iterator(context.in), {});
  set_data(body, data);
}

// Whose row is meant, and what the writer has seen.
void take_choices(const Arguments& arguments, Json& body) {
  if (arguments.has("--own")) body["own"] = true;
  if (arguments.has("--node")) body["node"] = arguments.get("--node");
  if (arguments.has("--if-seen")) body["if_seen"] = arguments.get("--if-seen");
}

// The new version, for the next --if-seen.
Outcome change(Context& context, const Arguments& arguments, const char* path, const Json& body) {
  return show(context, arguments, {"POST", path, dump(body)},
              [](const Json& document) { return text_at(document, "version") + "\n"; });
}

// The bytes as they are: nothing is added, so that they may go into a file.
Outcome read_value(Context& context, const Arguments& arguments, const char* path,
                   const Json& body) {
  return show(context, arguments, {"POST", path, dump(body)}, data_of);
}

Outcome run_kv_get(Context& context, const Arguments& arguments) {
  Json body = {{"key", arguments.words[0]}};
  take_choices(arguments, body);
  return read_value(context, arguments, "/v1/kv/get", body);
}

Outcome run_kv_put(Context& context, const Arguments& arguments) {
  Json body = {{"key", arguments.words[0]}};
  take_choices(arguments, body);
  take_data(context, arguments.words[1], body);
  return change(context, arguments, "/v1/kv/put", body);
}

Outcome run_kv_del(Context& context, const Arguments& arguments) {
  Json body = {{"key", arguments.words[0]}};
  take_choices(arguments, body);
  return change(context, arguments, "/v1/kv/del", body);
}

std::string render_keys_held(const Json& document) {
  Table table({"KEY", "BYTES", "WRITER", "TIME"});
  for (const Json& row : child(document, "keys")) {
    table.add({text_at(row, "key"),
               std::to_string(static_cast<std::int64_t>(number_at(row, "bytes").value_or(0))),
               text_at(row, "writer"), text_at(row, "time")});
  }
  return table.text();
}

Outcome run_kv_ls(Context& context, const Arguments& arguments) {
  Json body = {{"key", arguments.words.empty() ? "" : arguments.words[0]}};
  take_choices(arguments, body);
  return show(context, arguments, {"POST", "/v1/kv/ls", dump(body)}, render_keys_held);
}

// Data on a line of its own: what would break the line is shown by its size.
std::string on_a_line(const Json& line) {
  const std::string data = data_of(line);
  const bool fits = is_utf8(data) && data.find_first_of("\r\n") == std::string::npos;
  return fits ? data : "(" + std::to_string(data.size()) + " bytes)";
}

std::string change_text(const Json& line) {
  const std::string key = text_at(line, "key");
  const std::string head = text_at(line, "event") + (key.empty() ? "" : " " + key);
  return text_at(line, "event") == "del" ? head : head + " " + on_a_line(line);
}

Outcome follow(Context& context, const Arguments& arguments, const char* path, const Json& body) {
  const auto count = number_of(arguments, "--number", {1, 1'000'000'000});
  if (!count) return Fail(count.error());
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  std::int64_t left = count->value_or(-1);
  const auto done = client->stream({"POST", path, dump(body)}, [&](std::string_view text) {
    context.out << (arguments.json ? std::string(text) : change_text(parse_document(text))) << "\n"
                << std::flush;
    return context.out && --left != 0;
  });
  if (!done) return Fail(done.error());
  return 0;
}

Outcome run_kv_watch(Context& context, const Arguments& arguments) {
  Json body = {{"key", arguments.words.empty() ? "" : arguments.words[0]},
               {"prefix", true},
               {"present", arguments.has("--present")}};
  take_choices(arguments, body);
  return follow(context, arguments, "/v1/kv/watch", body);
}

Outcome run_meta_publish(Context& context, const Arguments& arguments) {
  Json body = Json::object();
  take_choices(arguments, body);
  take_data(context, arguments.words[0], body);
  return change(context, arguments, "/v1/meta/publish", body);
}

Outcome run_meta_read(Context& context, const Arguments& arguments) {
  return read_value(context, arguments, "/v1/meta/read", Json::object());
}

Outcome run_meta_watch(Context& context, const Arguments& arguments) {
  return follow(context, arguments, "/v1/meta/watch",
                {{"present", arguments.has("--present")}});
}

const Flag kIfSeen = {"--if-seen", "V",
                      "only if this member holds version V (0: none). No lock: another member "
                      "may write at the same moment, and the later write wins"};
const Flag kOwn = {"--own", "", "a row that only this member writes and all read"};
const Flag kNode = {"--node", "NAME", "rows that the member NAME wrote as its own"};
const FlagGroup kWatchGroup = {
    "Watch",
    {{"--present", "", "first what is there, then what comes"},
     {"--number", "N", "end after N lines", "", "", false, 'n'}}};

FlagGroup watch_group_of_keys() {
  FlagGroup out = kWatchGroup;
  out.flags.push_back(kNode);
  return out;
}

}  // namespace

std::vector<Verb> metadata_verbs() {
  const std::vector<int> reading = {1, 3, 4, 5, 130};
  return {
      {"kv get", "KEY", "The value of a key that all members share",
       {"ginnel kv get db/leader", "ginnel kv get db/leader --json",
        "ginnel kv get rack --node web-1"},
       {{"Key", {kNode}}}, reading, 1, 1, run_kv_get},
      {"kv put", "KEY DATA|-", "Write a key for all members; prints its version",
       {"ginnel kv put db/leader web-1", "ginnel kv put config - < app.toml",
        "ginnel kv put db/leader web-2 --if-seen 1764542718123456789@web-1"},
       {{"Write", {kIfSeen, kOwn}}}, {1, 3, 4, 130}, 2, 2, run_kv_put},
      {"kv del", "KEY", "Delete a key at all members",
       {"ginnel kv del db/leader", "ginnel kv del rack --own"},
       {{"Write", {kIfSeen, kOwn}}}, reading, 1, 1, run_kv_del},
      {"kv ls", "[PREFIX]", "The keys that begin with PREFIX",
       {"ginnel kv ls", "ginnel kv ls db/ --json", "ginnel kv ls --node web-1"},
       {{"Key", {kNode}}}, {1, 3, 4, 130}, 0, 1, run_kv_ls},
      {"kv watch", "[PREFIX]", "Changes of keys that begin with PREFIX, as they come",
       {"ginnel kv watch db/", "ginnel kv watch --present --json"},
       {watch_group_of_keys()}, {1, 3, 4, 130}, 0, 1, run_kv_watch},
      {"meta publish", "DATA|-", "Write the one value of the cluster",
       {"ginnel meta publish hello", "ginnel meta publish - < state.json"},
       {{"Write", {kIfSeen}}}, {1, 3, 4, 130}, 1, 1, run_meta_publish},
      {"meta read", "", "The one value of the cluster", {"ginnel meta read"}, {}, reading, 0, 0,
       run_meta_read},
      {"meta watch", "", "Each new value of the cluster, as it comes",
       {"ginnel meta watch", "ginnel meta watch --present -n 1"},
       {kWatchGroup}, {1, 3, 4, 130}, 0, 0, run_meta_watch},
  };
}

}  // namespace ginnel::cli
