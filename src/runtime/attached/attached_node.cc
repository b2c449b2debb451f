#include "runtime/attached/attached_node.h"

#include <algorithm>

#include "runtime/attached/documents.h"
#include "runtime/daemon/body.h"
#include "runtime/signals_blocked.h"

namespace ginnel::runtime {
namespace {

using nlohmann::json;

// The daemon keeps the deadline; this much later it is broken.
constexpr Nanoseconds kGrace = 5s;
// Requests that one subscription has and did not answer: the daemon's own limit. More wait there.
constexpr std::size_t kJobs = 256;

double seconds(Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// Names with other bytes than these are percent-encoded in a path.
std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-' || c == '.';
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02x", static_cast<unsigned char>(c));
    out += plain ? std::string(1, c) : hex;
  }
  return out;
}

json message_body(const std::vector<std::string>& peers, std::string_view channel,
                  ConstBytes data) {
  json body{{"peers", peers}, {"channel", channel}};
  put_data(body, data);
  return body;
}

// nullopt: a name in it is no UTF-8, which cannot stand in a document.
std::optional<std::string> document_of(const json& body) {
  try {
    return body.dump();
  } catch (const json::type_error&) {
    return std::nullopt;
  }
}

Error not_text() { return {Errc::kUsage, "the name of the peer or channel is no UTF-8", ""}; }

std::vector<Failed> failed_of(const json& answer) {
  std::vector<Failed> out;
  const auto rows = answer.find("failed");
  if (rows == answer.end() || !rows->is_array()) return out;
  for (const json& row : *rows) out.push_back({text_at(row, "peer"), error_of(row)});
  return out;
}

Result<void, Error> reply(Link& link, std::uint64_t request, std::optional<Errc> code,
                          ConstBytes data) {
  json body{{"request", request}};
  if (code) body[*code == Errc::kDenied ? "denied" : "failed"] = true;
  put_data(body, data);
  const auto done = link.call({"POST", "/v1/reply", body.dump()});
  if (!done) return Fail(done.error());
  return {};
}

template <class Row>
auto rows_of(const Result<json, Error>& answer, const char* key, Row row) {
  std::vector<decltype(row(json()))> out;
  if (!answer) return out;
  const auto rows = answer->find(key);
  if (rows == answer->end() || !rows->is_array()) return out;
  for (const json& one : *rows) out.push_back(row(one));
  return out;
}

}  // namespace

Result<std::unique_ptr<AttachedNode>, Error> AttachedNode::attach(
    const std::filesystem::path& socket) {
  auto wakeup = io::Wakeup::make();
  if (!wakeup) return Fail(wakeup.error());
  std::unique_ptr<AttachedNode> out(
      new AttachedNode(std::make_shared<Shared>(socket), *std::move(wakeup)));
  const auto status = out->shared_->link->call({"GET", "/v1/status"});
  if (!status) return Fail(status.error());
  const json self = status->value("self", json::object());
  out->id_ = id_at(self, "id");
  out->name_ = text_at(self, "name");
  return out;
}

AttachedNode::~AttachedNode() {
  std::map<std::uint64_t, std::shared_ptr<Feed>> feeds;
  {
    const std::lock_guard lock(shared_->mutex);
    feeds = std::exchange(shared_->feeds, {});
  }
  for (const auto& [number, feed] : feeds) feed->stop();
  wakeup_.notify();
  {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [&] { return shared_->calls == 0; });
  }
  shared_->link->close();
  stop();
}

// ---- sending ----

Result<void, Error> AttachedNode::send_now(std::string_view peer, std::string_view channel,
                                           ConstBytes data, bool datagram) {
  json body = message_body({std::string(peer)}, channel, data);
  body["wait"] = false;
  body["datagram"] = datagram;
  auto text = document_of(body);
  if (!text) return Fail(not_text());
  const auto answer = shared_->link->call({"POST", "/v1/msg", *std::move(text)});
  if (!answer) return Fail(answer.error());
  const auto failed = failed_of(*answer);
  if (!failed.empty()) return Fail(failed.front().error);
  return {};
}

Result<void, Error> AttachedNode::send(std::string_view peer, std::string_view channel,
                                       ConstBytes data) {
  return send_now(peer, channel, data, false);
}

Result<void, Error> AttachedNode::send_datagram(std::string_view peer, std::string_view channel,
                                                ConstBytes data) {
  return send_now(peer, channel, data, true);
}

void AttachedNode::call_behind(control_api::Query query, Nanoseconds limit, Answered done) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->calls < kCallsMax) {
      ++shared_->calls;
      limit = limit + kGrace;
    } else {
      limit = Nanoseconds(0);
    }
  }
  if (limit == Nanoseconds(0)) {
    return done(Fail(Error{Errc::kWouldBlock, "64 calls are under way", "wait for some of them"}));
  }
  const SignalsBlocked blocked;
  std::thread([shared = shared_, query = std::move(query), limit, done = std::move(done),
               wake = wakeup_.fd()] {
    auto answer = shared->link->call_beside(query, limit, wake);
    if (!answer && answer.error().code == Errc::kCancelled) {
      answer =
          Fail(Error{Errc::kClosed, "the node was closed; whether it was done is unknown", ""});
    }
    shared->link->handle([&] { done(std::move(answer)); });
    const std::lock_guard lock(shared->mutex);
    --shared->calls;
    shared->changed.notify_all();
  }).detach();  // the destructor waits for the count
}

void AttachedNode::send_acked(const std::vector<std::string>& peers, std::string_view channel,
                              ConstBytes data, Nanoseconds deadline, api::AckedDone done) {
  if (peers.empty()) return done({});
  deadline = std::min<Nanoseconds>(deadline, std::chrono::hours(24 * 365));
  json body = message_body(peers, channel, data);
  body["ack"] = true;
  body["timeout"] = seconds(deadline);
  auto text = document_of(body);
  if (!text) return done(api::all_failed(peers, not_text()));
  call_behind({"POST", "/v1/msg", *std::move(text)}, deadline,
              [peers, done = std::move(done)](const Result<json, Error>& answer) {
                done(answer ? failed_of(*answer) : api::all_failed(peers, answer.error()));
              });
}

void AttachedNode::request(std::string_view peer, std::string_view channel, ConstBytes data,
                           Nanoseconds deadline, api::RequestDone done) {
  deadline = std::min<Nanoseconds>(deadline, std::chrono::hours(24 * 365));
  json body{{"peer", peer}, {"channel", channel}, {"timeout", seconds(deadline)}};
  put_data(body, data);
  auto text = document_of(body);
  if (!text) return done(Fail(not_text()));
  call_behind({"POST", "/v1/req", *std::move(text)}, deadline,
              [channel = std::string(channel),
               done = std::move(done)](const Result<json, Error>& answer) {
                if (!answer) return done(Fail(answer.error()));
                done(message_of(*answer, channel));
              });
}

// ---- receiving ----

Subscription AttachedNode::subscribe(control_api::Query query, Feed::OnLine on_line) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->feeds.size() >= kFeedsMax) return {};
  }
  auto feed = Feed::start(shared_->link, std::move(query), std::move(on_line));
  if (!feed) return {};
  const std::lock_guard lock(shared_->mutex);
  const std::uint64_t number = shared_->next_feed++;
  shared_->feeds.emplace(number, std::move(feed));
  return Subscription([weak = std::weak_ptr<Shared>(shared_), number] {
    if (const auto shared = weak.lock()) end_feed(*shared, number);
  });
}

void AttachedNode::end_feed(Shared& shared, std::uint64_t number) {
  std::shared_ptr<Feed> feed;
  {
    const std::lock_guard lock(shared.mutex);
    const auto it = shared.feeds.find(number);
    if (it == shared.feeds.end()) return;  // the node went, and it with that
    feed = std::move(it->second);
    shared.feeds.erase(it);
  }
  feed->stop();
}

Subscription AttachedNode::on_message(std::string_view channel, api::MessageHandler handler) {
  auto text = document_of(json{{"channel", channel}});
  if (channel.empty() || !text) return {};
  return subscribe({"POST", "/v1/sub", *std::move(text)},
                   [channel = std::string(channel),
                    handler = std::move(handler)](const json& line) {
                     handler(message_of(line, channel));
                   });
}

// A request that came by a connection has failed when that ended; its number is not used again.
Subscription AttachedNode::on_request(std::string_view channel, api::RequestCallback handler) {
  auto text = document_of(json{{"channel", channel}, {"jobs", kJobs}});
  if (channel.empty() || !text) return {};
  return subscribe(
      {"POST", "/v1/replier", *std::move(text)},
      [link = shared_->link, channel = std::string(channel),
       handler = std::move(handler)](const json& line) {
        const std::uint64_t number = line.value("request", std::uint64_t{0});
        handler(Request(message_of(line, channel),
                        [link, number](std::optional<Errc> code, ConstBytes data) {
                          return reply(*link, number, code, data);
                        }));
      });
}

Subscription AttachedNode::watch(const char* event, Feed::OnLine handler) {
  return subscribe({"POST", "/v1/watch", json{{"event", event}}.dump()},
                   std::move(handler));
}

Subscription AttachedNode::on_undelivered(api::UndeliveredHandler handler) {
  return watch("undelivered", [handler = std::move(handler)](const json& line) {
    const std::string peer = text_at(line, "peer");
    const std::string channel = text_at(line, "channel");
    const ByteVector data = data_of(line).value_or(ByteVector());
    const bool sent = text_at(line, "outcome") == "unknown";
    using Outcome = Undelivered::Outcome;
    handler({sent ? Outcome::kUnknown : Outcome::kNotSent, id_at(line, "id"), peer, channel, data,
             error_of(line.value("error", json::object()))});
  });
}

Subscription AttachedNode::on_path(api::PathHandler handler) {
  return watch("path", [handler = std::move(handler)](const json& line) {
    handler(peer_of(line.value("peer", json::object())));
  });
}

// Of the daemon's events those about a member; the others have none.
Subscription AttachedNode::on_member(api::MemberHandler handler) {
  return subscribe({"POST", "/v1/events", json{{"follow", true}, {"last", 0}}.dump()},
                   [handler = std::move(handler)](const json& line) {
                     const auto row = line.find("member");
                     if (row != line.end() && row->is_object()) handler(member_of(*row));
                   });
}

Subscription AttachedNode::on_writable(api::WritableHandler handler) {
  return watch("writable", [handler = std::move(handler)](const json& line) {
    handler(id_at(line, "id"), text_at(line, "channel"));
  });
}

// ---- looking around ----

std::vector<PeerInfo> AttachedNode::peers() {
  return rows_of(shared_->link->call({"GET", "/v1/peers"}), "peers", peer_of);
}

std::vector<HubInfo> AttachedNode::hubs() {
  return rows_of(shared_->link->call({"GET", "/v1/hubs"}), "hubs", hub_of);
}

// The daemon's rows have no Ids: those of the peers that it knows by these names.
std::vector<MemberInfo> AttachedNode::members() {
  auto out = rows_of(shared_->link->call({"GET", "/v1/members"}), "members", member_of);
  const auto known = peers();
  for (MemberInfo& member : out) {
    if (member.name == name_) member.id = id_;
    const auto peer = std::ranges::find(known, member.name, &PeerInfo::name);
    if (peer != known.end()) member.id = peer->id;
  }
  return out;
}

std::map<std::string, std::string> AttachedNode::tags() {
  for (MemberInfo& member : members()) {
    if (member.name == name_) return std::move(member.tags);
  }
  return {};
}

Result<void, Error> AttachedNode::change_tags(const std::map<std::string, std::string>& set,
                                              const std::vector<std::string>& del) {
  const auto text = document_of(json{{"set", set}, {"del", del}});
  if (!text) return Fail(Error{Errc::kUsage, "tags: a key or a value is no UTF-8", ""});
  const auto answer = shared_->link->call({"POST", "/v1/tags", *text});
  if (!answer) return Fail(answer.error());
  return {};
}

std::optional<PathInfo> AttachedNode::path(std::string_view peer) {
  for (PeerInfo& one : peers()) {
    if (one.name == peer || one.id.text() == peer) return std::move(one.path);
  }
  return std::nullopt;
}

std::vector<Attempt> AttachedNode::why(std::string_view peer) {
  return rows_of(shared_->link->call({"GET", "/v1/why/" + encoded(peer)}), "attempts", attempt_of);
}

// Beside other calls: it may take long.
bool AttachedNode::wait_online(Nanoseconds limit) {
  limit = std::min<Nanoseconds>(limit, std::chrono::hours(24 * 365));
  const json body{{"for", "online"}, {"timeout", seconds(limit)}};
  const control_api::Query query{"POST", "/v1/wait", body.dump()};
  return shared_->link->call_beside(query, limit + kGrace, wakeup_.fd()).has_value();
}

void AttachedNode::run() {
  if (shared_->link->in_handler()) return;
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, [&] { return shared_->stopped; });
}

void AttachedNode::stop() {
  const std::lock_guard lock(shared_->mutex);
  shared_->stopped = true;
  shared_->changed.notify_all();
}

}  // namespace ginnel::runtime
