#include "cli/daemon.h"

#include <charconv>
#include <chrono>

#include "runtime/config/values.h"

namespace ginnel::cli {

Result<control_api::Client, Error> connect(const Context& context, const Arguments& arguments) {
  auto client = control_api::Client::connect(places_of(context, arguments).socket);
  if (client) client->set_interrupt_fd(context.interrupt_fd);
  return client;
}

Outcome show(Context& context, const Arguments& arguments, const control_api::Query& query,
             const std::function<std::string(const Json&)>& render) {
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const auto answer = client->call(query);
  if (!answer) return Fail(answer.error());
  if (arguments.json) {
    context.out << *answer << "\n";
  } else {
    context.out << render(parse_document(*answer));
  }
  return 0;
}

Style style_of(const Context& context) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {context.terminal, context.colour, std::chrono::duration<double>(now).count()};
}

Result<std::optional<double>, Error> seconds_of(const Arguments& arguments, std::string_view flag,
                                                std::string_view verb) {
  if (!arguments.has(flag)) return std::optional<double>();
  const std::string text = arguments.get(flag);
  const auto duration = config::parse_seconds(text);
  if (duration) return std::optional(std::chrono::duration<double>(*duration).count());
  return Fail(Error{Errc::kUsage,
                    std::string(flag) + " " + text + ": must be seconds or a duration such as 10s",
                    "ginnel " + std::string(verb) + " --help"});
}

Result<std::optional<std::int64_t>, Error> number_of(const Arguments& arguments,
                                                     std::string_view flag, const Bounds& bounds) {
  if (!arguments.has(flag)) return std::optional<std::int64_t>();
  const std::string text = arguments.get(flag);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (whole && value >= bounds.low && value <= bounds.high) return std::optional(value);
  return Fail(Error{Errc::kUsage,
                    std::string(flag) + " " + text + ": must be a whole number from " +
                        std::to_string(bounds.low) + " to " + std::to_string(bounds.high),
                    "ginnel help"});
}

}  // namespace ginnel::cli
