// req, reply.
#include <ginnel/error.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>

#include "base/base64.h"
#include "cli/daemon.h"
#include "cli/filter.h"

namespace ginnel::cli {
namespace {

constexpr double kDefaultDeadline = 10;  // seconds
// What the daemon may take beyond the deadline that it was given.
constexpr std::chrono::seconds kReplyMargin{5};
constexpr std::size_t kRequestBytesMax = std::size_t{16} << 20;
constexpr std::int64_t kJobsDefault = 8;
constexpr std::int64_t kJobsMax = 256;  // the daemon gives no more
constexpr std::size_t kCommandWordsMax = 1024;

Result<std::string, Error> request_data(Context& context, const std::string& word) {
  if (word != "-") return word;
  std::string out;
  std::array<char, 64 * 1024> bytes;
  while (context.in.read(bytes.data(), bytes.size()) || context.in.gcount() > 0) {
    out.append(bytes.data(), static_cast<std::size_t>(context.in.gcount()));
    if (out.size() > kRequestBytesMax) {
      return Fail(Error{Errc::kTooLarge, "a request holds at most 16 MiB", "send it as a file"});
    }
  }
  return out;
}

Outcome run_req(Context& context, const Arguments& arguments) {
  const auto timeout = seconds_of(arguments, "--timeout", "req");
  if (!timeout) return Fail(timeout.error());
  const auto data = request_data(context, arguments.words[2]);
  if (!data) return Fail(data.error());
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const double deadline = timeout->value_or(kDefaultDeadline);
  client->set_timeout(std::chrono::duration_cast<std::chrono::nanoseconds>(
                          std::chrono::duration<double>(deadline)) +
                      kReplyMargin);
  Json body = {{"peer", arguments.words[0]},
               {"channel", arguments.words[1]},
               {"timeout", deadline}};
  set_data(body, *data);
  const auto answer = client->call({"POST", "/v1/req", dump(body)});
  if (!answer) return Fail(answer.error());
  if (arguments.json) {
    context.out << *answer << "\n";
  } else {
    context.out << data_of(parse_document(*answer));  // unchanged: no newline is added
  }
  return 0;
}

// Runs the command for each request, each in a thread of its own. The daemon gives at most as many
// as there are jobs.
class Jobs {
 public:
  Jobs(Context& context, const Arguments& arguments) : context_(context), arguments_(arguments) {}
  ~Jobs() {
    std::unique_lock lock(mutex_);
    for (Filter* filter : running_) filter->stop();
    ended_.wait(lock, [&] { return threads_ == 0; });
  }

  void start(Json request) {
    {
      const std::lock_guard lock(mutex_);
      ++threads_;
    }
    std::thread([this, request = std::move(request)] {
      work(request);
      const std::lock_guard lock(mutex_);
      --threads_;
      ended_.notify_all();
    }).detach();
  }

 private:
  void work(const Json& request) {
    const Json& from = child(request, "from");
    Filter filter({arguments_.words.begin() + 1, arguments_.words.end()},
                  {{"GINNEL_FROM_ID", text_at(from, "id")},
                   {"GINNEL_FROM_NAME", text_at(from, "name")}});
    {
      const std::lock_guard lock(mutex_);
      running_.insert(&filter);
    }
    const auto output = filter.run(data_of(request));
    {
      const std::lock_guard lock(mutex_);
      running_.erase(&filter);
    }
    if (!output) say(output.error());
    answer(request, output);
  }
  // Over a connection of its own: that of the requests is a stream.
  void answer(const Json& request, const Result<std::string, Error>& output) {
    Json body = {{"request", child(request, "request")}, {"failed", !output}};
    body["data_b64"] = output ? to_base64(std::as_bytes(std::span(*output))) : "";
    auto client = connect(context_, arguments_);
    const auto done = client ? client->call({"POST", "/v1/reply", dump(body)})
                             : Result<std::string, Error>(Fail(client.error()));
    // Who asked has given up: nothing to be told.
    if (!done && done.error().code != Errc::kClosed) say(done.error());
  }
  void say(const Error& error) {
    const std::lock_guard lock(mutex_);
    context_.err << "ginnel: reply: " << error.text << " [" << code_name(error.code) << "]\n"
                 << std::flush;
  }

  Context& context_;
  const Arguments& arguments_;
  std::mutex mutex_;  // guards what follows, and standard error
  std::condition_variable ended_;
  std::size_t threads_ = 0;
  std::set<Filter*> running_;
};

Outcome run_reply(Context& context, const Arguments& arguments) {
  const auto jobs = number_of(arguments, "--jobs", {1, kJobsMax});
  if (!jobs) return Fail(jobs.error());
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const Json body = {{"channel", arguments.words[0]}, {"jobs", jobs->value_or(kJobsDefault)}};
  Jobs running(context, arguments);
  const auto done =
      client->stream({"POST", "/v1/replier", dump(body)}, [&](std::string_view line) {
        running.start(parse_document(line));
        client->taken();
        return true;
      });
  if (!done) return Fail(done.error());
  return 0;
}

}  // namespace

std::vector<Verb> request_verbs() {
  return {
      {"req",
       "PEER CHANNEL DATA|-",
       "Ask a program on a peer and print its reply",
       {"ginnel req bob time ''", "ginnel req bob sha256 - < file",
        "ginnel req bob sum 1+2 --timeout 2"},
       {{"Request", {{"--timeout", "S", "give up after S seconds", "10"}}}},
       {1, 3, 4, 5, 6, 130},
       3,
       3,
       run_req},
      {"reply",
       "CHANNEL -- CMD…",
       "Answer requests: CMD reads one and prints the reply",
       {"ginnel reply time -- date", "ginnel reply sha256 -- sha256sum",
        "ginnel reply who -- sh -c 'echo hello $GINNEL_FROM_NAME'"},
       {{"Reply", {{"--jobs", "N", "run up to N side by side", "8"}}}},
       {1, 3, 4, 130},
       2,
       kCommandWordsMax,
       run_reply},
  };
}

}  // namespace ginnel::cli
