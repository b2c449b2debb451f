// Queries: asked, answered, and their answers collected.
#include "proto/swim/scaling.h"
#include "proto/swim/serf/serf.h"

namespace ginnel::swim::serf {
namespace {

constexpr std::string_view kInternalPrefix = "_serf_";  // internal_query.go
constexpr std::string_view kPing = "_serf_ping";
constexpr std::string_view kConflict = "_serf_conflict";
constexpr std::uint32_t kQueryTimeoutMult = 16;  // serf config.go

}  // namespace

Result<QueryNumber, Drop> Serf::key_query(Instant now, KeyOp op, ConstBytes key) {
  return query(now, query_name(op), encode(KeyRequest{key}), {.ack = false});
}

Result<QueryNumber, Drop> Serf::query(Instant now, std::string_view name, ConstBytes payload,
                                      const QueryOptions& options) {
  if (running_.size() == kQueriesMax) return Fail(Drop::kQueueFull);
  std::vector<ByteVector> filters;
  if (!options.names.empty()) filters.push_back(name_filter(options.names));
  for (const auto& [tag, pattern] : options.tags) filters.push_back(tag_filter(tag, pattern));
  if (filters.size() > kFiltersMax) return Fail(Drop::kTooLarge);
  const std::size_t n = swim_.alive_count();
  Query query{.ltime = queries_seen_.clock().time(), .id = rng_.u32(),
              .source = swim_.config().advertise, .source_node = own_name(), .filters = {},
              .flags = options.ack ? kFlagAck : 0, .relay_factor = options.relay_factor,
              .timeout = options.timeout, .name = name, .payload = payload};
  for (const ByteVector& filter : filters) query.filters.emplace_back(filter);
  if (query.timeout <= 0ns) {
    query.timeout = swim_.config().gossip_interval * retransmit_limit(kQueryTimeoutMult, n);
  }
  const ByteVector message = encode(query);
  if (message.size() > kQueryBytesMax) return Fail(Drop::kTooLarge);
  const QueryNumber number(++queries_made_);
  const QueryKey key{query.ltime, query.id};
  running_.emplace(key, Running{number, {}, {}});
  deadlines_.set(key, now + query.timeout);
  handle_query(now, query, message);
  return number;
}

void Serf::handle_query(Instant now, const Query& query, ConstBytes message) {
  if (!queries_seen_.add(query.ltime, query.id)) return;
  state_changed_ = true;
  if ((query.flags & kFlagNoBroadcast) == 0) pass_on(now, message);
  if (is_for_us(query)) take_query(now, query);
}

bool Serf::is_for_us(const Query& query) const {
  if (query.filters.empty()) return true;
  const Tags tags = tags_as_serf_shows_them(swim_.config().meta);
  return std::ranges::all_of(query.filters, [&](ConstBytes filter) {
    return holds(filter, own_name(), tags);
  });
}

void Serf::take_query(Instant, const Query& query) {
  if ((query.flags & kFlagAck) != 0) answer(query, kFlagAck, {});
  if (!query.name.starts_with(kInternalPrefix)) {
    tell(QueryArrived{std::string(query.name), to_vector(query.payload), query.ltime,
                      std::string(query.source_node)});
    return;
  }
  if (query.name == kPing) return;  // the acknowledgement is the answer
  if (query.name == kConflict) return answer_conflict(query);
  if (const auto op = key_op_of(query.name)) return answer_key(query, *op);
  ++dropped_;
}

void Serf::answer(const Query& query, std::uint32_t flags, ConstBytes payload) {
  const QueryResponse response{query.ltime, query.id, own_name(), flags, payload};
  if (running_.contains({query.ltime, query.id})) return handle_response(response);
  const ByteVector message = encode(response);
  if (message.size() > kResponseBytesMax || query.source.address.is_unspecified()) {
    ++dropped_;
    return;
  }
  if (!swim_.send_to(query.source, message)) ++dropped_;
  if (query.relay_factor > 0) relay(query, message);
}

// query.go relayResponse: the same answer by way of others too, for bad links.
void Serf::relay(const Query& query, ConstBytes response) {
  std::vector<MemberInfo> members = swim_.members();
  std::erase_if(members, [&](const MemberInfo& m) {
    return m.state != State::kAlive || m.name == own_name();
  });
  if (members.size() < query.relay_factor) return;
  ByteVector message;
  write(Relay{query.source, response}, message);
  for (std::size_t i = 0; i < query.relay_factor; ++i) {
    std::swap(members[i], members[i + rng_.below(members.size() - i)]);
    if (!swim_.send_to(members[i].endpoint, message)) ++dropped_;
  }
}

// "Who holds this name?": the vote by which serf settles a conflict. The one that it is about has
// no vote.
void Serf::answer_conflict(const Query& query) {
  const std::string_view name = text_of(query.payload);
  if (name == own_name()) return;
  const auto member = swim_.member(name);
  if (!member) return;
  const Tags tags = tags_as_serf_shows_them(member->meta);
  answer(query, 0, encode(ConflictResponse{.name = member->name, .endpoint = member->endpoint,
                                           .tags = {tags.begin(), tags.end()},
                                           .vsn = member->vsn}));
}

void Serf::answer_key(const Query& query, KeyOp op) {
  // The payload is a message with a type of its own.
  if (query.payload.empty() || query.payload[0] != static_cast<std::byte>(Type::kKeyRequest)) {
    ++dropped_;
    return;
  }
  const auto request = KeyRequest::parse(query.payload.subspan(1));
  if (!request) {
    ++dropped_;
    return;
  }
  const ByteVector key = to_vector(request->key);
  const KeyOutcome outcome = apply(op, key, swim_.framer().keys());
  if (outcome.changed) tell(KeyChanged{op, fingerprint_of(key)});
  answer(query, 0, encode(outcome.response));
}

void Serf::handle_response(const QueryResponse& response) {
  const auto it = running_.find({response.ltime, response.id});
  if (it == running_.end()) {
    ++dropped_;
    return;
  }
  Running& running = it->second;
  // A cluster has fewer members than this many; an attacker may invent more names.
  if (running.acked.size() + running.answered.size() > 2 * swim_.config().members_max) return;
  const std::string from(response.from);
  if (response.is_ack()) {
    if (running.acked.insert(from).second) tell(QueryAck{running.number, from});
  } else if (running.answered.insert(from).second) {
    tell(QueryAnswer{running.number, from, to_vector(response.payload)});
  }
}

void Serf::handle_relay(ConstBytes body) {
  const auto relay = Relay::parse(body);
  if (!relay || !swim_.send_to(relay->to, relay->message)) ++dropped_;
}

}  // namespace ginnel::swim::serf
