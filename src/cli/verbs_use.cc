// msg, sub.
#include <ginnel/error.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "cli/daemon.h"
#include "runtime/control/error_document.h"

namespace ginnel::cli {
namespace {

constexpr int kSomeFailed = 6;
constexpr std::size_t kPeersMax = 1024;
// What the daemon may take beyond the deadline that it was given.
constexpr std::chrono::seconds kAnswerMargin{5};

struct Sender {
  Context& context;
  const Arguments& arguments;
  control_api::Client& client;
  std::vector<std::string> peers;
  std::optional<double> timeout;  // seconds

  // True: every peer has it.
  Result<bool, Error> send(std::string_view data) const;
  void note_channel(const Json& failed) const;
};

Error error_of(const Json& failed, const std::string& peer) {
  const std::string code = text_at(failed, "code");
  const Errc known = control_api::errc_from_name(code).value_or(Errc::kInternal);
  std::string hint = text_at(failed, "hint");
  if (hint.empty()) hint = known == Errc::kUsage ? "ginnel msg --help" : "ginnel status " + peer;
  return {known, "msg " + peer + ": " + text_at(failed, "text"), hint};
}

// `msg bob chat hello`: what was meant was a channel.
void Sender::note_channel(const Json& failed) const {
  const std::string& last = peers.back();
  const bool unknown = std::ranges::any_of(failed, [&](const Json& row) {
    return text_at(row, "peer") == last && text_at(row, "code") == code_name(Errc::kUnknownPeer);
  });
  if (unknown && !arguments.has("--channel"))
    context.err << "  -> if " << last << " is a channel: --channel " << last << "\n";
}

Result<bool, Error> Sender::send(std::string_view data) const {
  const std::string channel = arguments.get("--channel");
  Json body = {{"peers", peers},
               {"channel", channel.empty() ? "default" : channel},
               {"ack", arguments.has("--ack")}};
  if (timeout) body["timeout"] = *timeout;
  if (arguments.has("--udp")) body["udp"] = true;
  if (arguments.has("--all")) body["all"] = true;
  set_data(body, data);
  const auto answer = client.call({"POST", "/v1/msg", dump(body)});
  if (!answer) return Fail(answer.error());
  const Json document = parse_document(*answer);
  const Json& failed = child(document, "failed");
  // With one peer its failure is the command's; with several they are the output.
  if (peers.size() == 1 && !failed.empty()) return Fail(error_of(failed[0], peers[0]));
  if (arguments.json) {
    context.out << *answer << "\n";
  } else {
    for (const Json& row : failed) {
      context.out << text_at(row, "peer") << " " << text_at(row, "code") << " "
                  << text_at(row, "text") << "\n";
    }
    note_channel(failed);
  }
  context.out.flush();
  return failed.empty();
}

// A gossip member takes all of standard input as one message, as it is.
bool is_gossip_member(control_api::Client& client, const Arguments& arguments) {
  if (arguments.has("--udp") || arguments.has("--all")) return true;
  const auto answer = client.call({"GET", "/v1/members"});
  return answer && child(parse_document(*answer), "members").is_array();
}

Outcome run_msg(Context& context, const Arguments& arguments) {
  if (arguments.has("--all") && arguments.words.size() > 1) {
    return Fail(Error{Errc::kUsage, "msg --all: it goes to everybody, name no peers",
                      "ginnel msg --help"});
  }
  const auto timeout = seconds_of(arguments, "--timeout", "msg");
  if (!timeout) return Fail(timeout.error());
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  Sender sender{context, arguments, *client, arguments.words, *timeout};
  const std::string data = sender.peers.back();
  sender.peers.pop_back();
  // Without --timeout the daemon bounds the wait for an acknowledgement and for a peer to be known;
  // a full window blocks for as long as it is full.
  if (sender.timeout) {
    client->set_timeout(std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::duration<double>(*sender.timeout)) +
                        kAnswerMargin);
  }
  bool all = true;
  if (data != "-") {
    const auto sent = sender.send(data);
    if (!sent) return Fail(sent.error());
    all = *sent;
  } else if (is_gossip_member(*client, arguments)) {
    const auto sent = sender.send(std::string(std::istreambuf_iterator(context.in), {}));
    if (!sent) return Fail(sent.error());
    all = *sent;
  } else {
    // docs/cli.md: "msg PEER… - sends each line of standard input as one message, in order".
    for (std::string line; std::getline(context.in, line);) {
      const auto sent = sender.send(line);
      if (!sent) return Fail(sent.error());
      all = all && *sent;
    }
  }
  return all ? 0 : kSomeFailed;
}

std::string message_text(const Json& line) {
  const Json& from = child(line, "from");
  const std::string name = text_at(from, "name");
  return (name.empty() ? text_at(from, "id") : name) + " " + text_at(line, "channel") + " " +
         data_of(line);
}

Outcome run_sub(Context& context, const Arguments& arguments) {
  const auto count = number_of(arguments, "--number", {1, 1'000'000'000});
  if (!count) return Fail(count.error());
  auto client = connect(context, arguments);
  if (!client) return Fail(client.error());
  const Json body = {{"channel", arguments.words.empty() ? Json() : Json(arguments.words[0])},
                     {"count", *count ? Json(**count) : Json()}};
  std::int64_t left = count->value_or(-1);
  const auto done = client->stream({"POST", "/v1/sub", dump(body)}, [&](std::string_view text) {
    context.out << (arguments.json ? std::string(text) : message_text(parse_document(text))) << "\n"
                << std::flush;
    if (!context.out) return false;  // nobody reads on: the message is not taken
    client->taken();
    return --left != 0;
  });
  if (!done) return Fail(done.error());
  if (!context.out) return Fail(Error{Errc::kFile, "sub: standard output is closed", ""});
  return 0;
}

std::vector<Verb> message_verbs() {
  const Flag channel = {"--channel", "C", "the channel", "default"};
  return {
      {"msg",
       "PEER… DATA|-",
       "Send a message to one or several peers",
       {"ginnel msg bob hello", "ginnel msg bob carol 'to both' --ack",
        "tail -f log | ginnel msg bob - --channel log"},
       {{"Message",
         {channel,
          {"--ack", "", "succeed once a program there has taken it"},
          {"--timeout", "S", "give up after S seconds", "10"}}},
        {"To a gossip member",
         {{"--udp", "", "best effort, by datagram"},
          {"--all", "", "to all members, best effort, as a rumor that nobody passes on"}}}},
       {1, 3, 4, 5, 6, 130},
       2,
       kPeersMax,
       run_msg,
       "--all"},
      {"sub",
       "[CHANNEL]",
       "Print the messages that arrive, one a line",
       {"ginnel sub", "ginnel sub log --json", "ginnel sub -n 1"},
       {{"Subscribe",
         {{"--number", "N", "end after N messages", "until interrupted", "", false, 'n'}}}},
       {1, 3, 4, 130},
       0,
       1,
       run_sub},
  };
}

}  // namespace

std::vector<Verb> use_verbs() {
  std::vector<Verb> out = message_verbs();
  std::ranges::move(request_verbs(), std::back_inserter(out));
  return out;
}

}  // namespace ginnel::cli
