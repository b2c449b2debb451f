#include "runtime/gossip/metadata_api.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "io/clock.h"
#include "runtime/control/error_document.h"
#include "runtime/gossip/documents.h"
#include "runtime/gossip/refusal_error.h"

namespace ginnel::gossip {
namespace {

using control_api::Responder;
using swim::metadata::Changed;
using swim::metadata::Item;
using swim::metadata::Key;
using swim::metadata::Refusal;
using swim::metadata::Space;
using swim::metadata::Version;

void refuse(const Responder& responder, const Error& error) {
  responder.answer(control_api::http_status(error.code), control_api::error_document(error));
}

// As text where it is UTF-8, else as base64: as in messages.
void set_value(nlohmann::json& out, ConstBytes value) {
  try {
    nlohmann::json text = text_of(value);
    (void)text.dump();  // strict: throws at what is no UTF-8
    out["data"] = std::move(text);
  } catch (const nlohmann::json::type_error&) {
    out["data_b64"] = to_base64(value);
  }
}

nlohmann::json row_json(const Key& key, const Version& version) {
  nlohmann::json out = {{"v", 1},
                        {"version", version.text()},
                        {"writer", version.writer},
                        {"time", rfc3339({static_cast<std::int64_t>(version.time)})}};
  if (key.space != Space::kPublished) out["key"] = key.name;
  if (key.space == Space::kOwn) out["node"] = key.owner;
  return out;
}

nlohmann::json item_json(const Item& item) {
  nlohmann::json out = row_json(item.key, item.version);
  set_value(out, item.value);
  return out;
}

}  // namespace

// A request's body, read without surprises.
class MetadataApi::Body {
 public:
  Body(const std::string& text, Space space, std::string self)
      : json_(nlohmann::json::parse(text.empty() ? "{}" : text, nullptr, false)), space_(space),
        self_(std::move(self)) {}

  bool is_sound() const { return json_.is_object() && data() && (!has("if_seen") || if_seen()); }
  std::string text(const char* name) const {
    const auto it = json_.find(name);
    return it != json_.end() && it->is_string() ? it->get<std::string>() : "";
  }
  bool flag(const char* name) const {
    const auto it = json_.find(name);
    return it != json_.end() && it->is_boolean() && it->get<bool>();
  }
  bool has(const char* name) const { return json_.contains(name); }
  // `key`, and whose row it is: `node`, or this member's with `own`.
  Key key() const {
    if (space_ == Space::kPublished) return {Space::kPublished, "", ""};
    const std::string owner = flag("own") ? self_ : text("node");
    return {owner.empty() ? Space::kCommon : Space::kOwn, owner, text("key")};
  }
  std::optional<ByteVector> data() const {
    if (has("data_b64")) return from_base64(text("data_b64"));
    return to_vector(bytes_of(text("data")));
  }
  std::optional<Version> if_seen() const {
    return has("if_seen") ? Version::parse(text("if_seen")) : std::nullopt;
  }

 private:
  nlohmann::json json_;
  Space space_;
  std::string self_;
};

bool MetadataApi::answer(const control_api::Request& request, const Responder& responder) {
  const bool kv = request.target.starts_with("/v1/kv/");
  const bool meta = request.target.starts_with("/v1/meta/");
  if (request.method != "POST" || (!kv && !meta)) return false;
  if (agent_.app() != swim::App::kGinnel) {
    refuse(responder, no_shared_data(agent_.app(), kv ? "kv" : "meta"));
    return true;
  }
  const Body body(request.body, kv ? Space::kCommon : Space::kPublished,
                  agent_.swim().config().name);
  if (!body.is_sound()) {
    refuse(responder, {Errc::kUsage, "the request is malformed", ""});
    return true;
  }
  dispatch(request.target.substr(std::string_view(kv ? "/v1/kv/" : "/v1/meta/").size()), body,
           responder);
  return true;
}

void MetadataApi::dispatch(const std::string& verb, const Body& body, const Responder& responder) {
  if (verb == "get" || verb == "read") return get(body, responder);
  if (verb == "put" || verb == "publish") return put(body, responder);
  if (verb == "del") return del(body, responder);
  if (verb == "ls") return list(body, responder);
  if (verb == "watch") return watch(body, responder);
  refuse(responder, {Errc::kUsage, "metadata knows no " + verb.substr(0, 64), "ginnel help"});
}

void MetadataApi::get(const Body& body, const Responder& responder) const {
  const auto item = agent_.shared().get(body.key());
  if (!item) return refuse(responder, refusal_error(Refusal::kUnknownKey, body.key()));
  responder.ok(dump(item_json(*item)));
}

void MetadataApi::put(const Body& body, const Responder& responder) {
  const auto done = agent_.put(io::now(), body.key(), *body.data(), body.if_seen());
  if (!done) return refuse(responder, refusal_error(done.error(), body.key()));
  responder.ok(dump(row_json(body.key(), *done)));
}

void MetadataApi::del(const Body& body, const Responder& responder) {
  const auto done = agent_.erase(io::now(), body.key(), body.if_seen());
  if (!done) return refuse(responder, refusal_error(done.error(), body.key()));
  responder.ok(dump(row_json(body.key(), *done)));
}

void MetadataApi::list(const Body& body, const Responder& responder) const {
  nlohmann::json keys = nlohmann::json::array();
  for (const Item& item : agent_.shared().list(body.key())) {
    nlohmann::json row = row_json(item.key, item.version);
    row.erase("v");
    row["bytes"] = item.value.size();
    keys.push_back(std::move(row));
  }
  responder.ok(dump({{"v", 1}, {"keys", std::move(keys)}}));
}

// With `present` first what is there, so that nothing is missed between a list and a watch.
void MetadataApi::watch(const Body& body, const Responder& responder) {
  if (watchers_.size() == kWatchersMax) {
    std::erase_if(watchers_, [](const Watcher& w) { return w.responder.cancelled(); });
  }
  if (watchers_.size() == kWatchersMax) {
    return refuse(responder, {Errc::kWouldBlock, "watch: 256 others watch already", "end one"});
  }
  Watcher watcher{responder, body.key(), body.flag("prefix")};
  responder.begin();
  for (const Item& item : agent_.shared().list(watcher.key)) {
    if (!body.flag("present") || (!watcher.prefix && item.key != watcher.key)) continue;
    nlohmann::json line = item_json(item);
    line["event"] = "put";
    responder.write_line(dump(line));
  }
  watchers_.push_back(std::move(watcher));
}

void MetadataApi::handle(const swim::AgentEvent& event) {
  if (const auto* change = std::get_if<Changed>(&event)) tell_watchers(*change);
  if (!std::holds_alternative<swim::Gone>(event)) return;
  for (const Watcher& watcher : watchers_) watcher.responder.finish();
  watchers_.clear();
}

// The value is read now: where several changes come together, the last one is told.
void MetadataApi::tell_watchers(const Changed& change) {
  if (watchers_.empty()) return;
  const auto item = agent_.shared().get(change.key);
  nlohmann::json line = item ? item_json(*item) : row_json(change.key, change.version);
  line["event"] = item ? "put" : "del";
  const std::string text = dump(line);
  std::erase_if(watchers_, [&](const Watcher& watcher) {
    const bool wanted = watcher.prefix ? change.key.wire().starts_with(watcher.key.wire())
                                       : change.key == watcher.key;
    return wanted && !watcher.responder.write_line(text);
  });
}

}  // namespace ginnel::gossip
