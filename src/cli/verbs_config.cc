#include "cli/verbs_config.h"

#include <algorithm>
#include <filesystem>

#include "cli/daemon.h"
#include "runtime/config/edit.h"
#include "runtime/config/schema.h"
#include "runtime/config/show.h"
#include "runtime/config_file.h"

namespace ginnel::cli {
namespace {

using config::Problem;

Json problem_json(std::string_view path, const Problem& problem) {
  return {{"path", path},
          {"line", problem.at.line},
          {"column", problem.at.column},
          {"code", code_name(problem.code)},
          {"text", problem.text},
          {"suggestion", problem.suggestion.empty() ? Json() : Json(problem.suggestion)}};
}

// Every problem, one a line, before the error that sums them up. With --json they are in the
// error's document instead, which is all that stderr then gets.
void print_problems(Context& context, const Arguments& arguments, const std::string& path,
                    const std::vector<Problem>& problems) {
  if (arguments.json) return;
  for (const Problem& problem : problems)
    context.err << config::problem_line(path, problem) << "\n";
}

Result<runtime::ConfigFile, Error> read(const Context& context, const Arguments& arguments) {
  return runtime::read_config_file(places_of(context, arguments).config_file,
                                   context.get_environment);
}

Outcome invalid(Context& context, const Arguments& arguments, const std::string& path,
                const std::vector<Problem>& problems) {
  Error error = config::as_error(path, problems);
  error.text = arguments.verb + ": " + error.text;
  if (!arguments.json) {
    print_problems(context, arguments, path, problems);
    return Fail(error);
  }
  Json list = Json::array();
  for (const Problem& problem : problems) list.push_back(problem_json(path, problem));
  context.err << dump({{"v", 1},
                       {"error",
                        {{"code", code_name(error.code)},
                         {"text", error.text},
                         {"hint", error.hint},
                         {"exit", exit_code(error.code)},
                         {"problems", list}}}})
              << "\n";
  return exit_code(error.code);
}

Outcome run_check(Context& context, const Arguments& arguments) {
  const auto file = read(context, arguments);
  if (!file) return Fail(file.error());
  const std::string path = file->path.string();
  if (!file->loaded.problems.empty())
    return invalid(context, arguments, path, file->loaded.problems);
  if (auto checked = runtime::check_secret_files(*file); !checked) return Fail(checked.error());
  if (arguments.json) {
    context.out << dump({{"v", 1}, {"path", path}, {"ok", true}, {"problems", Json::array()}})
                << "\n";
  } else {
    context.out << path << ": ok\n";
  }
  return 0;
}

Json setting_value(const config::Setting& setting) {
  if (setting.toml.empty()) return {};
  if (config::is_secret(setting.path)) return config::kHidden;
  const auto parsed = config::parse_toml("x = " + setting.toml + "\n");
  if (!parsed) return setting.toml;
  const config::Value& value = parsed->fields.at(0).value;
  switch (value.type) {
    case config::ValueType::kInteger:
      return value.integer;
    case config::ValueType::kBoolean:
      return value.boolean;
    case config::ValueType::kList: {
      Json out = Json::array();
      for (const config::Value& item : value.items) out.push_back(item.text);
      return out;
    }
    default:
      return value.text;
  }
}

Outcome run_show(Context& context, const Arguments& arguments) {
  const auto file = read(context, arguments);
  if (!file) return Fail(file.error());
  if (!file->loaded.problems.empty())
    return invalid(context, arguments, file->path.string(), file->loaded.problems);
  if (!arguments.json) {
    context.out << config::show(file->loaded.settings, {.origin = arguments.has("--origin")});
    return 0;
  }
  Json values = Json::object();
  for (const config::Setting& setting : file->loaded.settings)
    values[setting.path] = {{"value", setting_value(setting)}, {"origin", setting.origin}};
  context.out << dump({{"v", 1}, {"path", file->path.string()}, {"values", values}}) << "\n";
  return 0;
}

Error key_error(const std::string& verb, const Problem& problem) {
  const std::string close =
      problem.suggestion.empty() ? "" : ", did you mean \"" + problem.suggestion + "\"?";
  return {problem.code, verb + ": " + problem.text + close, "ginnel help config"};
}

Outcome run_get(Context& context, const Arguments& arguments) {
  const std::string& key = arguments.words[0];
  const auto file = read(context, arguments);
  if (!file) return Fail(file.error());
  if (!file->loaded.problems.empty())
    return invalid(context, arguments, file->path.string(), file->loaded.problems);
  const auto& settings = file->loaded.settings;
  const auto found = std::ranges::find(settings, key, &config::Setting::path);
  if (found == settings.end() && config::find_key(key) == nullptr)
    return Fail(key_error("config get", config::unknown_key(key, {})));
  const config::Setting setting =
      found == settings.end() ? config::Setting{key, "", "default"} : *found;
  if (arguments.json) {
    context.out << dump({{"v", 1},
                         {"key", key},
                         {"value", setting_value(setting)},
                         {"origin", setting.origin}})
                << "\n";
  } else {
    context.out << config::plain_value(setting) << "\n";
  }
  return 0;
}

Outcome run_set(Context& context, const Arguments& arguments) {
  const std::string& key = arguments.words[0];
  const auto literal = config::literal_for(key, arguments.words[1]);
  if (!literal) return Fail(key_error("config set", literal.error()));
  const auto path = places_of(context, arguments).config_file;
  const auto text = runtime::read_config_text(path);
  if (!text) return Fail(text.error());
  const auto edited = config::set_key(*text, key, *literal);
  if (!edited) {
    const auto problems = config::load(*text).problems;
    if (!problems.empty()) return invalid(context, arguments, path.string(), problems);
    return Fail(Error{Errc::kUsage,
                      "config set " + key + ": " + path.string() +
                          " is written in a way that only a person can edit",
                      "edit the file"});
  }
  if (const auto written = runtime::write_config_text(path, *edited); !written)
    return Fail(written.error());
  if (arguments.json)
    context.out << dump({{"v", 1}, {"key", key}, {"path", path.string()}}) << "\n";
  return 0;
}

Outcome run_reload(Context& context, const Arguments& arguments) {
  return show(context, arguments, {"POST", "/v1/config/reload"}, [](const Json& json) {
    std::string out;
    for (const Json& key : child(json, "changed"))
      if (key.is_string()) out += "changed " + key.get<std::string>() + "\n";
    for (const Json& key : child(json, "restart"))
      if (key.is_string()) out += "needs a restart " + key.get<std::string>() + "\n";
    return out;
  });
}

}  // namespace

std::vector<Verb> config_verbs() {
  return {
      {"config check",
       "",
       "Read ginnel.toml and list everything that is wrong",
       {"ginnel config check", "ginnel config check --dir /tmp/a"},
       {},
       {4, 7},
       0,
       0,
       run_check},
      {"config show",
       "",
       "The configuration that counts",
       {"ginnel config show", "ginnel config show --origin"},
       {{"Output", {{"--origin", "", "where each value comes from"}}}},
       {4, 7},
       0,
       0,
       run_show},
      {"config get",
       "KEY",
       "One value",
       {"ginnel config get tun.mtu", "ginnel config get network.hubs"},
       {},
       {4, 7},
       1,
       1,
       run_get},
      {"config set",
       "KEY VALUE",
       "Write one value; comments stay",
       {"ginnel config set tun.enable no", "ginnel config set network.hubs a.example.net:7700"},
       {},
       {4, 7},
       2,
       2,
       run_set},
      {"config reload",
       "",
       "Make the running node read its file again",
       {"ginnel config reload"},
       {},
       {1, 3, 4, 7},
       0,
       0,
       run_reload},
  };
}

}  // namespace ginnel::cli
