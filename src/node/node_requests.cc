// Requests and replies. A request is a message with an id in a lane of requests; its reply comes in
// a lane of replies under the same id.
//
//   request       waits and travels as an acknowledged send does (node_waiting.cc)
//   take_request  a program here has it; until reply() it is open
//   reply         the reply, or why there is none, goes back
//   take_replies  at the other end it settles the request; one that comes late settles nothing
#include "node/node.h"
#include "proto/control/acknowledgement.h"
#include "proto/control/signing.h"

namespace ginnel::node {

using control::ReplyCode;

void Node::request(Instant now, std::uint64_t call, std::string_view peer, std::string_view channel,
                   ConstBytes data, Nanoseconds deadline) {
  begin_acked(now,
              {.call = call,
               .peer_text = std::string(peer),
               .peer = {},
               .lane = {LaneKind::kRequests, std::string(channel)},
               .deadline = now + deadline},
              data);
}

void Node::cancel_request(std::uint64_t call) {
  const auto is_it = [&](const auto& entry) {
    return entry.second.is_request() && entry.second.call == call;
  };
  const auto it = std::ranges::find_if(acked_, is_it);
  if (it == acked_.end()) return;
  const std::uint64_t id = it->first;
  withdraw(id);
  acked_.erase(id);
}

void Node::subscribe_requests(std::string_view channel) {
  subscribe_lane({LaneKind::kRequests, std::string(channel)});
}

void Node::unsubscribe_requests(std::string_view channel) {
  unsubscribe_lane({LaneKind::kRequests, std::string(channel)});
}

std::optional<Arrived> Node::take_request(const Id& from, std::string_view channel) {
  Session* session = find(from);
  if (!session || !session->channels || open_requests_.size() >= kOpenRequestsMax) {
    return std::nullopt;
  }
  auto out = session->channels->take({LaneKind::kRequests, std::string(channel)});
  wake(*session);
  if (out) open_requests_.emplace(OpenRequest{from, out->id}, std::string(channel));
  return out;
}

Result<void, Error> Node::reply(Instant now, const Id& from, std::uint64_t request, ReplyCode code,
                                ConstBytes data) {
  const auto open = open_requests_.find({from, request});
  Session* session = find(from);
  if (open == open_requests_.end() || !session) {
    return Fail(Error{Errc::kClosed, "nobody waits for this reply any more", ""});
  }
  if (data.size() >= control::kMessageBytesMax) {
    return Fail(Error{Errc::kTooLarge, "a reply holds less than 16 MiB", ""});
  }
  Waiting reply{from.text(), {LaneKind::kReplies, open->second}, {}, {}, request};
  reply.data.push_back(static_cast<std::byte>(code));
  reply.data.insert(reply.data.end(), data.begin(), data.end());
  const std::uint64_t order = next_message_id_++;
  if (is_waiting(reply.peer_text, reply.lane) || !hand_over(now, order, reply)) {
    if (!has_waiting_room(reply.data.size())) {
      return Fail(Error{Errc::kWouldBlock, "too many messages wait", "reply again later"});
    }
    waiting_bytes_ += reply.data.size();
    waiting_.emplace(order, std::move(reply));
  }
  const bool was_full = open_requests_.size() >= kOpenRequestsMax;
  open_requests_.erase(open);
  if (was_full) announce_requests();
  return {};
}

// Programs that could take no more may.
void Node::announce_requests() {
  for (const auto& [handle, session] : sessions_) {
    if (!session->id || !session->channels) continue;
    for (const LaneKey& lane : session->channels->waiting()) {
      if (lane.kind == LaneKind::kRequests && is_subscribed(lane)) raise_ready(*session->id, lane);
    }
  }
}

void Node::take_replies(Session& session, const LaneKey& lane) {
  while (auto reply = session.channels->take(lane)) settle_reply(*session.id, *std::move(reply));
  wake(session);
}

void Node::settle_reply(const Id& from, Arrived reply) {
  const auto it = acked_.find(reply.id);
  // Late, or of nobody who was asked.
  if (it == acked_.end() || !it->second.is_request() || it->second.peer != from) return;
  const AckedSend send = std::move(it->second);
  acked_.erase(it);
  const auto code =
      reply.data.empty() ? ReplyCode::kFailed : static_cast<ReplyCode>(reply.data.front());
  const std::string& who = send.peer_text;
  switch (code) {
    case ReplyCode::kAnswered:
      reply.data.erase(reply.data.begin());
      return raise(RequestSettled{send.call, from, who, std::move(reply.data)});
    case ReplyCode::kDenied:
      return raise(RequestSettled{send.call, from, who,
                                  Fail(Error{Errc::kDenied, who + " refused the request", ""})});
    default:
      return raise(RequestSettled{
          send.call, from, who,
          Fail(Error{Errc::kReplyFailed, "the program that replies on " + who + " failed", ""})});
  }
}

// The run of the peer that asked is over, or it cannot be told: nobody waits for these replies.
void Node::forget_requests_of(const Id& peer) {
  std::erase_if(open_requests_, [&](const auto& entry) { return entry.first.from == peer; });
  const std::string text = peer.text();
  std::vector<std::uint64_t> replies;
  for (const auto& [order, message] : waiting_) {
    if (message.reply_to != 0 && message.peer_text == text) replies.push_back(order);
  }
  for (const std::uint64_t order : replies) stop_waiting(order);
}

}  // namespace ginnel::node
